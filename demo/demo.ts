import { join } from "node:path";
import { parseArgs } from "node:util";
import type { SandboxHost } from "../sandbox/host.ts";
import { bootedHost, runningHost } from "../sandbox/host.ts";
import { cacheFolder } from "../setup/cache.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { hostView, type OnHost, unitStates } from "./host-view.ts";
import { type DemoStack, demoStack, devConfig } from "./stack.ts";

const usage = `Usage: npm run demo [-- --destroy]

Brings stack \`dev\` of this repository to a sandbox host that boots real systemd, and shows what runs there.

  npm run demo                 set up what is missing, boot the host, run \`pulumi up\` twice
  npm run demo -- --destroy    take all of it away again
  npm run host -- ssh dev-web1 look around on the host yourself`;

const { values } = parseArgs({
  options: { destroy: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const started = Date.now();

function step(text: string): void {
  const at = `${((Date.now() - started) / 1000).toFixed(1)} s`.padStart(8);
  console.log(colour ? `\x1b[2m${at}\x1b[0m \x1b[1m${text}\x1b[0m` : `${at} ${text}`);
}

function detail(line: string): void {
  console.log(`         ${line}`);
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(usage);
    return;
  }
  step("Pulumi: CLI, Node language host and command plugin");
  const toolchain = await pulumiToolchain(detail);
  detail(`Pulumi ${toolchain.version} (${toolchain.source})`);
  const stack = await demoStack(join(cacheFolder(), "demo"), toolchain.env, devConfig());
  const sandboxes = Object.values(await stack.sandboxes());
  if (values.destroy) await destroyed(stack, sandboxes);
  else await shown(stack, sandboxes);
}

async function shown(stack: DemoStack, sandboxes: readonly string[]): Promise<void> {
  const hosts: SandboxHost[] = [];
  for (const name of sandboxes) {
    step(`Sandbox host ${name}`);
    hosts.push(runningHost(name) ?? (await bootedHost({ name, release: "bookworm", log: detail })));
  }
  step("pulumi up");
  await up(stack);
  const before = await Promise.all(hosts.map((host) => managedUnits(stack, host)));
  for (const [index, host] of hosts.entries()) {
    step(`What runs on ${host.name} (Debian ${host.release}, ${host.address})`);
    for (const line of await hostView(onHost(host), `http://${host.address}:8000/`, before[index] ?? [])) detail(line);
  }
  step("pulumi up, once more");
  const again = await up(stack);
  const unchanged = again.match(/^\s*(\d+) unchanged/m)?.[1];
  const changed = /^\s*[+~-]+ ?\d+ (to )?(create|update|delete|replace)/m.test(again);
  const after = await Promise.all(hosts.map((host) => managedUnits(stack, host)));
  const same = JSON.stringify(after.map(identities)) === JSON.stringify(before.map(identities));
  if (changed || unchanged === undefined || !same) {
    throw new Error("the second `pulumi up` changed something; it should have changed nothing");
  }
  detail(`nothing changed (${unchanged} resources), nothing restarted: every unit is in the run it was in before`);
  step("Done. `npm run demo -- --destroy` takes all of it away.");
}

async function destroyed(stack: DemoStack, sandboxes: readonly string[]): Promise<void> {
  const running = sandboxes.map((name) => runningHost(name)).filter((host) => host !== undefined);
  if (running.length === sandboxes.length) {
    step("pulumi destroy");
    const { code } = await stack.pulumi(["destroy", "--yes", "--skip-preview"], detail);
    if (code !== 0) throw new Error("`pulumi destroy` failed, see above");
  }
  for (const host of running) {
    step(`Sandbox host ${host.name}: down`);
    await host.down();
  }
  stack.remove();
  step("Done. Downloads and the host's root stay in the cache for the next time.");
}

async function up(stack: DemoStack): Promise<string> {
  const { code, output } = await stack.pulumi(["up", "--yes", "--skip-preview"], detail);
  if (code !== 0) throw new Error("`pulumi up` failed, see above");
  return output;
}

async function managedUnits(stack: DemoStack, host: SandboxHost) {
  return unitStates(onHost(host), await stack.units());
}

function identities(states: Awaited<ReturnType<typeof unitStates>>): string[] {
  return states.filter((state) => !state.name.includes("-health")).map((state) => `${state.name} ${state.invocation}`);
}

function onHost(host: SandboxHost): OnHost {
  return async (command) => (await host.run(command, { user: "root" })).stdout;
}

main().catch((error: unknown) => {
  console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
