import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { suite, test } from "node:test";
import { load } from "js-yaml";

// The package is made for CommonJS alone: as a module it would have to be started first.
const { validateWorkflow } = createRequire(import.meta.url)(
  "@action-validator/core",
) as typeof import("@action-validator/core");
const folder = join(import.meta.dirname, "../../examples/ci");
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const workflow = read("github/hosts.yml");
const pipeline = read("gitlab/.gitlab-ci.yml");
const scripts = globSync("*.sh", { cwd: folder }).sort();

suite("recipes for CI", () => {
  test("the workflow is one by GitHub's schema, and the check sees what is not", () => {
    assert.deepEqual(validateWorkflow(workflow).errors, []);
    assert.notDeepEqual(validateWorkflow(workflow.replace("runs-on:", "runson:")).errors, []);
  });

  test("both run every script, and no other", () => {
    const run = (text: string) => [...text.matchAll(/sh examples\/ci\/(\S+)/g)].map(([, script]) => script).sort();
    assert.deepEqual(run(workflow), scripts);
    assert.deepEqual(run(pipeline), scripts);
  });

  test("a script has each variable that it must be given", () => {
    for (const script of scripts) {
      const needed = [...read(script).matchAll(/^: "\$\{(\w+):\?/gm)].map(([, name = ""]) => name);
      assert.ok(needed.includes("STACK"), script);
      for (const name of needed) {
        for (const text of [workflow, pipeline]) assert.match(text, new RegExp(`^ +${name}: \\S`, "m"), script);
      }
    }
  });

  test("no job updates hosts for a change that is not merged, and each has a bound", () => {
    interface Job {
      if?: string;
      rules?: { if: string }[];
      steps?: { run?: string }[];
      script?: string[];
      timeout?: string;
      "timeout-minutes"?: number;
    }
    const { jobs } = load(workflow) as { jobs: Record<string, Job> };
    const { stages: _, variables: __, default: ___, ...own } = load(pipeline) as Record<string, Job>;
    const updates = (job: Job) => JSON.stringify(job.steps ?? job.script).includes("deploy.sh");
    for (const job of Object.values(jobs)) {
      assert.equal(updates(job), job.if === "github.event_name == 'push'");
      assert.ok((job["timeout-minutes"] ?? 0) > 0);
    }
    for (const job of Object.values(own)) {
      const when = job.rules?.map((rule) => rule.if);
      assert.equal(
        updates(job),
        when?.[0] === '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH' && when.length === 1,
      );
      assert.ok(job.timeout);
    }
  });
});
