/**
 * Programs from PyPI, each deployed, upgraded, and broken on purpose in every way that it can be: every broken release must be
 * refused or taken back, and the release before goes on. Prints a line of a table for each.
 *
 * `npm run bench:broken-releases [-- bullseye|bookworm|trixie [PROGRAM...]]`
 */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootedHost, type SandboxHost } from "../sandbox/host.ts";
import { type DebianRelease, isDebianRelease } from "../sandbox/release.ts";
import { wheelhouse } from "../sandbox/wheelhouse.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { type ExampleSection, exampleConfig } from "../test/hosts/example.ts";
import { shown } from "../test/hosts/facts.ts";
import { Load } from "../test/hosts/load.ts";
import { connectionOf, type TestStack, testStack } from "../test/hosts/stack.ts";

type Preludes = Readonly<Record<string, (inService: string) => string>>;

/** What is put before the program's own code. `inService`: the service alone, so that its `check` does not find it first. */
const preludes: Preludes = {
  "fails to import": () => "import no_such_module\n",
  "hangs at its start": (inService) => `import os, time\nif ${inService}: time.sleep(100000)\n`,
  // Where the sandbox's kernel has no memory controller no limit holds: this is what the kernel does at one.
  "is killed after 2 s, as by a memory limit": (inService) =>
    `import os, threading\nif ${inService}: threading.Timer(2, os.kill, (os.getpid(), 9)).start()\n`,
  "exits after 5 s": (inService) =>
    `import os, threading\nif ${inService}: threading.Timer(5, os._exit, (3,)).start()\n`,
};

/** A batch is over in less than 2 s, so it is broken at once, and its `check` is all that can find it before the night. */
const batchPreludes: Preludes = {
  "fails to import": () => "import no_such_module\n",
  "hangs at its start": () => "import time\ntime.sleep(100000)\n",
  "is killed, as by a memory limit": () => "import os\nos.kill(os.getpid(), 9)\n",
  "ends with an error": () => "raise SystemExit(3)\n",
};

interface Program {
  readonly example: string;
  /** The unit that is broken, and its code. */
  readonly unit: string;
  readonly code: string;
  /** Python that is true in the service and not in its hooks. */
  readonly inService: string;
  readonly port?: number;
  /** Its users, where they do not come by HTTP. */
  readonly users?: (host: SandboxHost) => Users;
  /** Services of the example that stay as they are: those of others. */
  readonly ofOthers?: readonly string[];
  /** @default those of every service */
  readonly preludes?: Preludes;
  /** What is changed in the example's own definition of it. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly packages?: readonly string[];
  /** Further ways to break it: a change of the source, and how to undo it. */
  readonly breaks?: Readonly<Record<string, (source: string) => () => void>>;
  /** A command that fails unless it does its work. */
  readonly works: string;
}

/** Who uses a program while its next release is tried. */
interface Users {
  /** What they met, once the last of them has. */
  end(): Promise<string>;
}

const isNotified = `"NOTIFY_SOCKET" in os.environ`;

function replaced(file: string, from: string, to: string): () => void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
  return () => writeFileSync(file, text);
}

const programs: Readonly<Record<string, Program>> = {
  "Django, gunicorn": {
    example: "django",
    unit: "shop",
    code: "shop/wsgi.py",
    inService: isNotified,
    port: 8000,
    args: {
      timeoutStartSec: "15s",
      health: { http: { url: "http://127.0.0.1:8000/health" }, stableSec: "8s", withinSec: "20s" },
      // `manage.py check` does not load what gunicorn runs.
      check: ["python", "-c", "import shop.wsgi"],
    },
    secrets: { "pythonServices.shop.secretEnvironment.DJANGO_SECRET_KEY": "a key of the bench" },
    breaks: {
      "a migration fails": (source) => {
        const file = join(source, "shop", "migrations", "0002_bad.py");
        writeFileSync(
          file,
          `from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunSQL("insert into no_such_table values (1)")]
`,
        );
        return () => rmSync(file);
      },
      "answers 500 on /health": (source) =>
        replaced(
          join(source, "shop", "urls.py"),
          '    return JsonResponse({"healthy"',
          '    raise RuntimeError\n    return JsonResponse({"healthy"',
        ),
    },
    works: "curl --fail --silent --max-time 10 http://127.0.0.1:8000/health",
  },
  "FastAPI, uvicorn": {
    example: "fastapi",
    unit: "quotes",
    code: "main.py",
    inService: isNotified,
    port: 8001,
    args: {
      timeoutStartSec: "15s",
      health: { http: { url: "http://127.0.0.1:8001/health" }, stableSec: "8s", withinSec: "20s" },
    },
    breaks: {
      "answers 500 on /health": (source) =>
        replaced(join(source, "main.py"), '    return {"healthy": True}', "    raise RuntimeError"),
    },
    works: "curl --fail --silent --max-time 10 http://127.0.0.1:8001/health",
  },
  "Celery worker and beat": {
    example: "celery",
    unit: "worker",
    code: "tasks.py",
    // Beat imports it too, and is not told of readiness.
    inService: isNotified,
    args: { timeoutStartSec: "30s", settleSec: 8 },
    packages: ["redis-server"],
    works: "a=$(cat /var/lib/private/worker/ticks); sleep 5; b=$(cat /var/lib/private/worker/ticks); [ $b -gt $a ]",
  },
  "Long-polling bot": {
    example: "long-poll",
    unit: "bot",
    code: "bot.py",
    inService: isNotified,
    args: { timeoutStartSec: "15s", settleSec: 8 },
    ofOthers: ["chat"],
    users: speakers,
    works:
      "n=$(curl -sf http://127.0.0.1:9100/answers | tr -cd : | wc -c); curl -sf --data hi http://127.0.0.1:9100/say >/dev/null; for i in $(seq 40); do sleep 0.5; [ $(curl -sf http://127.0.0.1:9100/answers | tr -cd : | wc -c) -gt $n ] && exit 0; done; exit 1",
  },
  "numpy batch": {
    example: "batch",
    unit: "batch",
    code: "batch.py",
    inService: "True",
    preludes: batchPreludes,
    args: { hookSec: "20s" },
    works:
      "report=/var/lib/private/batch/report.json; rm -f $report; systemctl start batch.service && grep -q mean $report",
  },
};

async function main(): Promise<void> {
  const [release = "bookworm", ...only] = process.argv.slice(2);
  if (!isDebianRelease(release)) throw new Error(`there is no release ${release}`);
  Object.assign(process.env, (await pulumiToolchain(console.log)).env);
  console.log(
    `${release}\n| program | its new release | found by | the process before | its users meanwhile | the update took |`,
  );
  console.log("|---|---|---|---|---|---|");
  for (const [title, program] of Object.entries(programs)) {
    if (only.length === 0 || only.includes(program.example)) await trials(release, title, program);
  }
}

async function trials(release: DebianRelease, title: string, program: Program): Promise<void> {
  const { packages = [] } = program;
  const host = await bootedHost({ release, packages });
  const stack = await testStack();
  try {
    const source = join(stack.folder, "source");
    const up = await prepared(stack, host, release, program, source);
    const good = async () => {
      const run = await up();
      assert.equal(run.code, 0, run.output);
      await host.output(program.works, { timeoutSec: 60 });
    };
    await good();
    const code = join(source, program.code);
    appendFileSync(code, "\n# The second release.\n");
    await good();
    const breaks = {
      ...Object.fromEntries(
        Object.entries(program.preludes ?? preludes).map(([name, prelude]) => [
          name,
          (): (() => void) => {
            const text = readFileSync(code, "utf8");
            writeFileSync(code, prelude(program.inService) + text);
            return () => writeFileSync(code, text);
          },
        ]),
      ),
      ...program.breaks,
    };
    for (const [name, broken] of Object.entries(breaks)) {
      const restore = broken(source);
      console.log(`| ${title} | ${name} | ${await trial(host, program, up)} |`);
      restore();
    }
  } finally {
    stack.remove();
    await host.down();
  }
}

type Up = () => ReturnType<TestStack["up"]>;

async function prepared(
  stack: TestStack,
  host: SandboxHost,
  release: DebianRelease,
  { example, unit, args, secrets, ofOthers = [] }: Program,
  source: string,
): Promise<Up> {
  const config = await exampleConfig(stack, example);
  cpSync(join(import.meta.dirname, "..", "examples", example, "app"), source, { recursive: true });
  // No version of numpy has wheels for all three.
  if (release === "trixie" && example === "batch") writeFileSync(join(source, "requirements.txt"), "numpy==2.2.6\n");
  const wheels = await wheelhouse(join(source, "requirements.txt"), console.log, [release]);
  const timed = Object.values(config.timers ?? {}).map((timer) => timer.pythonService as ExampleSection[string]);
  const own = Object.entries(config.pythonServices ?? {}).filter(([name]) => !ofOthers.includes(name));
  for (const service of [...own.map(([, service]) => service), ...timed]) {
    Object.assign(service, { source, ...(service.requirements === undefined ? {} : { wheelhouse: wheels }) });
  }
  Object.assign(config.pythonServices?.[unit] ?? timed[0]!, args);
  return async () => {
    await stack.configure({ hosts: { host: { connection: connectionOf(host) } }, ...config }, secrets);
    return stack.up();
  };
}

async function trial(host: SandboxHost, program: Program, up: Up): Promise<string> {
  const { unit, works } = program;
  const look = async () => ({
    ...(await shown(host, `${unit}.service`, "InvocationID", "ActiveState")),
    current: (await host.output(`readlink /opt/${unit}/current`)).trim(),
  });
  const before = await look();
  const users = program.users?.(host) ?? (await clients(host, program.port));
  const started = Date.now();
  const run = await up();
  const seconds = (Date.now() - started) / 1000;
  const met = await users.end();
  assert.equal(run.code, 1, run.output);
  const found =
    /its (check|pre-start) hook failed|(did not come up|not ready in time|did not stay up|its health gate|health\s+gate)/.exec(
      run.output,
    );
  assert.ok(found !== null, run.output);
  const after = await look();
  assert.equal(after.current, before.current);
  assert.equal(after.ActiveState, before.ActiveState);
  await sleep(1000);
  await host.output(works, { timeoutSec: 60 });
  const isSame = after.InvocationID === before.InvocationID;
  return `${found[1] ?? found[2]} | ${isSame ? "went on" : "came back"} | ${met} | ${seconds.toFixed(0)} s`;
}

/** Clients by HTTP, 20 new ones a second. */
async function clients(host: SandboxHost, port: number | undefined): Promise<Users> {
  if (port === undefined) return { end: async () => "" };
  const load = new Load(host, 20, port);
  await load.answersMore(20);
  return {
    end: async () => {
      await load.answersMore(20);
      const { begun, lost } = await load.end();
      const refused = lost.get("ECONNREFUSED") ?? 0;
      const failed = [...lost.values()].reduce((sum, each) => sum + each, 0) - refused;
      return `${begun} requests, ${refused} refused, ${failed} failed`;
    },
  };
}

/** People who say something to the bot twice a second, and each wait for one answer. */
function speakers(host: SandboxHost): Users {
  let said = 0;
  let isOver = false;
  const answers = async () =>
    Object.values(
      JSON.parse(await host.output("curl -sf --max-time 5 http://127.0.0.1:9100/answers")) as Record<string, string[]>,
    );
  const answeredTwice = (all: readonly string[][]) => all.filter((each) => each.length > 1).length;
  const before = answers();
  const talk = (async () => {
    for (await before; !isOver; said++) {
      await host.output("curl -sf --max-time 5 --data hi http://127.0.0.1:9100/say");
      await sleep(500);
    }
  })();
  // Its error is thrown by `end`.
  talk.catch(() => {});
  return {
    end: async () => {
      isOver = true;
      await talk;
      const due = (await before).length + said;
      for (const deadline = Date.now() + 30_000; (await answers()).length < due && Date.now() < deadline; )
        await sleep(500);
      const got = await answers();
      const twice = answeredTwice(got) - answeredTwice(await before);
      return `${said} messages, ${due - got.length} without an answer, ${twice} answered twice`;
    },
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
