/**
 * Upgrades in a row by `pulumi up` under a steady rate of requests, for each server of examples/zero-downtime and for some
 * that do less: what the clients lost, and what the host's own probes met.
 *
 * `npm run bench:zero-downtime [-- UPGRADES [REQUESTS_PER_SEC [RELEASE [draining]]]]`. `draining`: only the servers that lose none
 */
import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootedHost, type SandboxHost } from "../sandbox/host.ts";
import { isDebianRelease } from "../sandbox/release.ts";
import { wheelhouse } from "../sandbox/wheelhouse.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { type ExampleSection, exampleConfig } from "../test/hosts/example.ts";
import { Load } from "../test/hosts/load.ts";
import { connectionOf, type TestStack, testStack } from "../test/hosts/stack.ts";

const upgrades = Number(process.argv[2] ?? 20);
const fewUpgrades = 5;
const requestsPerSec = Number(process.argv[3] ?? 200);
const examples = join(import.meta.dirname, "..", "examples", "zero-downtime");

interface Contender {
  readonly title: string;
  /** The service of the example that it is made from. */
  readonly from: string;
  /** What differs from it. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** A change of the code: what is replaced, and by what. */
  readonly code?: readonly [string, string];
  readonly hasSocket?: false;
  /** One that loses requests shows it soon. */
  readonly losesSome?: true;
}

const gthread = ["gunicorn", "--workers", "2", "--threads", "8", "--graceful-timeout", "30", "app:app"];
const contenders: readonly Contender[] = [
  { title: "gunicorn, sync workers", from: "gunicorn" },
  { title: "uvicorn by serve.py", from: "uvicorn" },
  { title: "`socketserver`", from: "plain" },
  { losesSome: true, title: "gunicorn, `--threads 8`", from: "gunicorn", args: { exec: gthread } },
  { losesSome: true, title: "`uvicorn --fd 3`", from: "uvicorn", args: { exec: ["uvicorn", "app:app", "--fd", "3"] } },
  {
    losesSome: true,
    title: "`socketserver` that ends at SIGTERM",
    from: "plain",
    code: ["    signal.signal(signal.SIGTERM, stop)\n", ""],
  },
  {
    losesSome: true,
    title: "gunicorn, sync workers, without a socket unit",
    from: "gunicorn",
    args: { exec: ["gunicorn", "--bind", "0.0.0.0:PORT", "--workers", "4", "--graceful-timeout", "30", "app:app"] },
    hasSocket: false,
  },
];

async function main(): Promise<void> {
  const release = process.argv[4] ?? "bookworm";
  if (!isDebianRelease(release)) throw new Error(`there is no release ${release}`);
  const onlyDraining = process.argv[5];
  if (onlyDraining !== undefined && onlyDraining !== "draining") throw new Error(`there is no ${onlyDraining}`);
  Object.assign(process.env, (await pulumiToolchain(console.log)).env);
  const host = await bootedHost({ release });
  const stack = await testStack();
  try {
    console.log(`${upgrades} upgrades in a row, ${requestsPerSec} requests/s, ${release}`);
    console.log(
      "| server | upgrades | requests | refused | failed | slowest | the host's own probes: made, refused, failed, slowest |",
    );
    console.log("|---|---|---|---|---|---|---|");
    for (const [index, contender] of contenders.entries()) {
      if (onlyDraining && contender.losesSome) continue;
      console.log(await row(stack, host, contender, 8100 + index));
    }
  } finally {
    stack.remove();
    await host.down();
  }
}

async function row(stack: TestStack, host: SandboxHost, contender: Contender, port: number): Promise<string> {
  const { pythonServices } = await exampleConfig(stack, "zero-downtime");
  const source = join(stack.folder, `server${port}`);
  cpSync(join(examples, contender.from), source, { recursive: true });
  const code = join(source, contender.from === "plain" ? "server.py" : "app.py");
  if (contender.code !== undefined) writeFileSync(code, changed(readFileSync(code, "utf8"), contender.code));
  const { socket: _socket, ...example } = pythonServices![contender.from]!;
  const { exec = example.exec } = contender.args ?? {};
  const service: ExampleSection[string] = {
    ...example,
    source,
    exec: (exec as string[]).map((word) => word.replace("PORT", String(port))),
    // Without a socket unit only a health gate says where to ask.
    ...(contender.hasSocket === false
      ? { health: { http: { url: `http://127.0.0.1:${port}/` } } }
      : { socket: "server.socket" }),
  };
  if (example.requirements !== undefined) {
    service.wheelhouse = await wheelhouse(join(source, "requirements.txt"), console.log);
  }
  const sockets = contender.hasSocket === false ? {} : { sockets: { server: { listenStream: String(port) } } };
  const up = async () => {
    await stack.configure({
      hosts: { host: { connection: connectionOf(host) } },
      pythonServices: { server: service },
      ...sockets,
    });
    const run = await stack.up();
    if (run.code !== 0) throw new Error(run.output);
    return run.output;
  };
  await up();
  const load = new Load(host, requestsPerSec, port);
  await load.answersMore(requestsPerSec);
  const probes = { made: 0, refused: 0, failed: 0, worst: 0 };
  const wanted = contender.losesSome ? Math.min(upgrades, fewUpgrades) : upgrades;
  for (let count = 1; count <= wanted; count++) {
    appendFileSync(code, `\n# Release ${count}.\n`);
    const told =
      /host updated .* of (\d+) \w+ to [^,]+, (\d+) refused, (\d+) failed.*; the slowest answer after (\d+) ms/.exec(
        await up(),
      );
    if (told === null) throw new Error("the host measured nothing");
    const [made = 0, refused = 0, failed = 0, worst = 0] = told.slice(1).map(Number);
    probes.made += made;
    probes.refused += refused;
    probes.failed += failed;
    probes.worst = Math.max(probes.worst, worst);
  }
  await load.answersMore(requestsPerSec);
  const { begun, lost, worstMs } = await load.end();
  const refused = lost.get("ECONNREFUSED") ?? 0;
  const failed = [...lost.values()].reduce((sum, each) => sum + each, 0) - refused;
  const { made, worst } = probes;
  const own = `${made}, ${probes.refused}, ${probes.failed}, ${worst} ms`;
  return `| ${contender.title} | ${wanted} | ${begun} | ${refused} | ${failed} | ${Math.round(worstMs)} ms | ${own} |`;
}

function changed(text: string, [from, to]: readonly [string, string]): string {
  if (!text.includes(from)) throw new Error(`the example has no ${JSON.stringify(from)} any more`);
  return text.replace(from, to);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
