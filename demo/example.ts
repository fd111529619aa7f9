import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { load } from "js-yaml";
import { z } from "zod";
import { bootedHost, runningHost, type SandboxHost } from "../sandbox/host.ts";
import { wheelhouse } from "../sandbox/wheelhouse.ts";
import { cacheFolder } from "../setup/cache.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { djangoWatchPackages, prepareDjangoWatch } from "./django-watch.ts";
import { unitStates } from "./host-view.ts";
import { demoStack } from "./stack.ts";
import { unitTable } from "./table.ts";

interface Example {
  /** A command on the host that shows that it works. */
  readonly shows: string;
  /** Paths in its config at which a random secret is set. */
  readonly secrets: readonly string[];
  /** Debian packages that its host has beside the usual ones. */
  readonly packages?: readonly string[];
  /** What is done once on a new host. */
  readonly prepare?: (host: SandboxHost) => Promise<void>;
}

/** Examples that run by this command alone. */
const examples: Readonly<Record<string, Example>> = {
  django: {
    shows: "curl --fail --silent --show-error --max-time 20 --data 'a lamp' http://127.0.0.1:8000/",
    secrets: ["pulumi-systemd:pythonServices.shop.secretEnvironment.DJANGO_SECRET_KEY"],
  },
  fastapi: {
    shows: "curl --fail --silent --show-error --max-time 20 http://127.0.0.1:8001/quotes/1",
    secrets: [],
  },
  celery: { shows: "sleep 5; cat /var/lib/private/worker/ticks", secrets: [] },
  batch: {
    shows: "systemctl start batch.service; cat /var/lib/private/batch/report.json",
    secrets: [],
  },
  "long-poll": {
    shows:
      "curl --fail --silent --show-error --data hello http://127.0.0.1:9100/say; sleep 2; curl --fail --silent http://127.0.0.1:9100/answers",
    secrets: [],
  },
  "zero-downtime": {
    shows:
      "for port in 8001 8002 8003; do curl --fail --silent --show-error --max-time 20 http://127.0.0.1:$port/; echo; done",
    secrets: [],
  },
  "django-watch": {
    // gunicorn hangs: seen after its grace, and restarted, and it alone.
    shows: [
      "systemctl kill --signal=STOP gunicorn.service",
      "for check in 1 2 3 4 5 6; do sleep 7; pulumi-systemd-host health check django >/dev/null; done",
      "pulumi-systemd-host health",
    ].join("; "),
    secrets: [],
    packages: djangoWatchPackages,
    prepare: prepareDjangoWatch,
  },
};

const usage = `Usage: npm run example -- NAME [--destroy]

Deploys examples/NAME to a sandbox host of its own, example-NAME, and shows that it works.
NAME: ${Object.keys(examples).join(", ")}

  --destroy   take it away again, with the host`;

const pythonService = z.looseObject({ source: z.string().optional() });
const configSchema = z.looseObject({
  config: z.looseObject({
    "pulumi-systemd:pythonServices": z.record(z.string(), pythonService).default({}),
    "pulumi-systemd:timers": z
      .record(z.string(), z.looseObject({ pythonService: pythonService.optional() }))
      .default({}),
  }),
});

const repository = join(import.meta.dirname, "..");
const print = (line: string) => console.log(line);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { destroy: { type: "boolean", default: false } },
  });
  const [name = ""] = positionals;
  const example = examples[name];
  if (example === undefined || positionals.length !== 1) throw new Error(`there is no example "${name}"\n\n${usage}`);
  const toolchain = await pulumiToolchain(print);
  const sandbox = `example-${name}`;
  const folder = join(cacheFolder(), "examples", name);
  const config = { name, text: await configText(name, sandbox), secrets: example.secrets };
  const stack = await demoStack(folder, toolchain.env, config);
  const run = async (...args: string[]) => {
    const { code } = await stack.pulumi([...args, "--yes", "--skip-preview"], print);
    if (code !== 0) throw new Error(`\`pulumi ${args[0]}\` failed, see above`);
  };
  const running = runningHost(sandbox);
  if (values.destroy) {
    if (running !== undefined) await run("destroy");
    await running?.down();
    stack.remove();
    return;
  }
  const host = running ?? (await preparedHost(sandbox, example));
  await run("up");
  // A template does not run itself.
  const units = (await stack.units()).filter((unit) => !unit.includes("@."));
  const states = await unitStates((command) => host.output(command), units);
  const rows = states.map((state) => [state.name, state.active, state.enabled]);
  for (const line of unitTable(["UNIT", "STATE", "ENABLED"], rows)) print(line);
  print(`\n$ ${example.shows}\n${await shown(host, example.shows)}`);
  print(`Look around: npm run host -- ssh ${sandbox}. Take it away: npm run example -- ${name} --destroy`);
}

async function preparedHost(name: string, { packages = [], prepare }: Example): Promise<SandboxHost> {
  const host = await bootedHost({ name, release: "bookworm", packages, log: print });
  try {
    await prepare?.(host);
    return host;
  } catch (error) {
    await host.down();
    throw error;
  }
}

async function shown(host: SandboxHost, command: string): Promise<string> {
  return (await host.output(command)).trimEnd();
}

/** The example's own config, with the sandbox host, and with the wheels that a host without internet needs. */
async function configText(name: string, sandbox: string): Promise<string> {
  const file = join(repository, "examples", name, "Pulumi.example.yaml");
  if (!existsSync(file)) throw new Error(`${file} does not exist`);
  const { config } = configSchema.parse(load(readFileSync(file, "utf8")));
  const timed = Object.values(config["pulumi-systemd:timers"]).map(({ pythonService }) => pythonService);
  for (const service of [...Object.values(config["pulumi-systemd:pythonServices"]), ...timed]) {
    if (service?.source === undefined || service.requirements === undefined) continue;
    service.wheelhouse = await wheelhouse(join(repository, service.source, "requirements.txt"), print, ["bookworm"]);
  }
  // JSON is YAML, so no writer of YAML is needed.
  return `config: ${JSON.stringify({ ...config, "pulumi-systemd:hosts": { [sandbox]: { sandbox } } })}\n`;
}

main().catch((error: unknown) => {
  console.error(`example: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
