import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stackConfig } from "../../program/config.ts";
import { pulumiRun } from "../../setup/pulumi-cli.ts";
import { testStack } from "../hosts/stack.ts";

const repository = join(import.meta.dirname, "..", "..");

/** The code blocks of one language in the README. */
function blocks(language: string): string[] {
  const text = readFileSync(join(repository, "README.md"), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map((match) => match[1] ?? "");
}

test("the first stack in YAML is a valid config", async () => {
  const [yaml] = blocks("yaml");
  const stack = await testStack();
  try {
    const file = join(stack.folder, "readme.yaml");
    // The dots stand for the rest of a key.
    writeFileSync(file, (yaml ?? "").replace("AAAA...", `AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`));
    const keys = ["hosts", "pythonServices", "timers"];
    const values = await Promise.all(
      keys.map(async (key) => {
        const run = await pulumiRun(
          [
            "--cwd",
            repository,
            "config",
            "get",
            "--json",
            `pulumi-systemd:${key}`,
            "--stack",
            stack.name,
            "--config-file",
            file,
          ],
          { env: stack.env },
        );
        assert.equal(run.code, 0, run.output);
        return [`pulumi-systemd:${key}`, JSON.parse(run.stdout).value] as const;
      }),
    );
    const config = stackConfig("pulumi-systemd", Object.fromEntries(values));
    assert.deepEqual(
      [Object.keys(config.hosts), Object.keys(config.pythonServices), Object.keys(config.timers)],
      [["web1"], ["api"], ["nightly"]],
    );
  } finally {
    stack.remove();
  }
});

test("the commands are scripts of this package", () => {
  const { scripts } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  const named = [
    ...blocks("sh")
      .join("\n")
      .matchAll(/^npm (?:run )?(\S+)/gm),
  ].map((match) => match[1]);
  assert.deepEqual(named, ["demo", "test"]);
  for (const script of named) assert.ok(scripts[script ?? ""], `there is no script ${script}`);
});
