/**
 * examples/django-watch on a real host: each part is killed, hangs, is wrongly set up and loses its database in turn.
 * Prints the table of docs/health.md. The first run builds a Debian root with nginx, postgresql and Django.
 *
 * `npm run bench:django-watch`, or some rows of it: `npm run bench:django-watch -- "cut off|stopped"`
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { djangoWatchPackages, prepareDjangoWatch } from "../../demo/django-watch.ts";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { wheelhouse } from "../../sandbox/wheelhouse.ts";
import { pulumiToolchain } from "../../setup/toolchain.ts";
import { exampleConfig } from "../../test/hosts/example.ts";
import { connectionOf, testStack } from "../../test/hosts/stack.ts";

const examples = join(import.meta.dirname, "../../examples");
const program = "pulumi-systemd-host health";
const checks: Readonly<Record<string, string>> = {
  postgresql: "postgresql@15-main.service",
  redis: "redis-server.service",
  gunicorn: "gunicorn.service",
  daphne: "daphne.service",
  celery: "celery.service",
  celerybeat: "celerybeat.service",
  nginx: "nginx.service",
};

const unitOf = (check: string) => checks[check] ?? "";

interface Fault {
  check: string;
  what: string;
  inject: string;
  repair: string;
}

const dropIn = (unit: string, directives: string) =>
  `mkdir -p /run/systemd/system/${unit}.d; printf '[Service]\\n${directives}\\n' >/run/systemd/system/${unit}.d/fault.conf; systemctl daemon-reload; systemctl restart ${unit}`;
const noDropIn = (unit: string) =>
  `rm -r /run/systemd/system/${unit}.d; systemctl daemon-reload; systemctl reset-failed ${unit}; systemctl restart ${unit}`;
/** Nobody but this unit loses what it works with. */
const changed = (unit: string, directives: string) => ({
  inject: dropIn(unit, directives),
  repair: noDropIn(unit),
});
const appended = (file: string, unit: string) => ({
  inject: `cp ${file} /root/kept; echo 'nonsense here' >>${file}; systemctl restart ${unit}`,
  repair: `cat /root/kept >${file}; systemctl reset-failed ${unit}; systemctl restart ${unit}`,
});

function faults(): Fault[] {
  const all = Object.entries(checks).flatMap(([check, unit]): Fault[] => [
    { check, what: "killed", inject: `systemctl kill --signal=KILL ${unit}`, repair: "true" },
    { check, what: "hung (SIGSTOP)", inject: `systemctl kill --signal=STOP ${unit}`, repair: "true" },
  ]);
  for (const check of ["gunicorn", "daphne", "celery", "celerybeat"]) {
    all.push({ check, what: "wrongly set up", ...changed(unitOf(check), "ExecStart=\\nExecStart=/bin/false") });
  }
  const files = {
    postgresql: "/etc/postgresql/15/main/postgresql.conf",
    redis: "/etc/redis/redis.conf",
    nginx: "/etc/nginx/nginx.conf",
  };
  for (const [check, file] of Object.entries(files)) {
    all.push({ check, what: "wrongly set up", ...appended(file, unitOf(check)) });
  }
  for (const check of ["gunicorn", "daphne"]) {
    all.push({
      check,
      what: "cut off from postgresql",
      ...changed(unitOf(check), "InaccessiblePaths=/run/postgresql"),
    });
  }
  for (const check of ["celery", "celerybeat"]) {
    all.push({ check, what: "cut off from redis", ...changed(unitOf(check), "PrivateNetwork=yes") });
  }
  all.push({
    check: "postgresql",
    what: "stopped by a person",
    inject: `systemctl stop ${unitOf("postgresql")}`,
    repair: `systemctl start ${unitOf("postgresql")}`,
  });
  return all;
}

interface Seen {
  check: string;
  state: string;
  status: string;
  history: { at: number; event: string; text: string }[];
}

async function seen(host: SandboxHost): Promise<Seen[]> {
  return JSON.parse(await host.output(`${program} status --json django`));
}

async function healthy(host: SandboxHost, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    await host.output(`${program} check django >/dev/null`);
    const ill = (await seen(host)).filter(({ state }) => state !== "healthy");
    if (ill.length === 0) return;
    if (Date.now() > deadline) {
      const journal = await host.output("journalctl --no-pager --lines 60");
      throw new Error(`not well: ${JSON.stringify(ill, undefined, 1)}\n${journal}`);
    }
    await sleep(1000);
  }
}

async function received(host: SandboxHost): Promise<{ way: string; title: string }[]> {
  const text = await host.output("cat /var/lib/private/receiver/received 2>/dev/null || true");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** What one fault led to: a row of the table. */
async function row(host: SandboxHost, { check, what, inject, repair }: Fault): Promise<string> {
  // Each row begins with a whole budget.
  await host.output("rm -f /var/lib/pulumi-systemd-health/pulumi-systemd-dev/django.*");
  await healthy(host, 120);
  const before = (await received(host)).length;
  const begin = Date.now() / 1000;
  await host.run(inject);
  for (let round = 0; round < 45; round++) {
    await host.output(`${program} check django >/dev/null`);
    const now = await seen(host);
    const told = now.flatMap(({ history }) => history.map(({ event }) => event));
    if (told.includes("open") || told.includes("recovered")) break;
    // What systemd mends by itself, or a person has stopped, leads to nothing, and a crash loop is left to systemd.
    const settled = now.every(({ state }) => ["healthy", "stopped", "blocked", "told"].includes(state));
    if (settled && round >= (what === "killed" || told.length > 0 || what.startsWith("stopped") ? 12 : 40)) break;
    await sleep(1000);
  }
  await host.run(repair);
  // Whoever lost redis or the database needs some seconds to connect again, and checks come once a second here.
  await sleep(10_000);
  await healthy(host, 120);
  const history = (await seen(host)).flatMap((one) => one.history.map((entry) => ({ ...entry, check: one.check })));
  const actions = history.filter(({ event }) => event === "action");
  const acted = new Map<string, string[]>();
  for (const { check: name, at, text } of actions) {
    const verb = text.split(",")[0] ?? "";
    acted.set(`${verb} ${name.split("/")[1]}`, [
      ...(acted.get(`${verb} ${name.split("/")[1]}`) ?? []),
      `${Math.round(at - begin)} s`,
    ]);
  }
  const wanted = history.filter(({ event }) => ["outage", "open", "recovered"].includes(event)).length * 2;
  const deadline = Date.now() + 20_000;
  while ((await received(host)).length - before < wanted && Date.now() < deadline) await sleep(300);
  const messages = (await received(host)).slice(before);
  const mails = messages.filter(({ way }) => way === "mail").map(({ title }) => title.replace(/^[^:]*: django\//, ""));
  assert.equal(messages.length, wanted, `${check} ${what}: ${JSON.stringify(messages)}`);
  // What nobody noticed proves nothing; a kill may be mended unseen, and what a person stopped is no outage.
  assert.ok(what === "killed" || what.startsWith("stopped") || wanted > 0, `${check} ${what}: nothing was noticed`);
  assert.ok(actions.length <= 3, `${check} ${what}: ${JSON.stringify(actions)}`);
  assert.ok(
    actions.every((action) => action.check === `django/${check}`),
    `${check} ${what}: another unit was acted on: ${JSON.stringify(actions)}`,
  );
  const done = [...acted].map(([verb, times]) => `${verb} (${times.join(", ")})`).join("; ") || "nothing";
  return `| ${check} | ${what} | ${done} | ${mails.join("; ") || "nothing"} |`;
}

async function main(): Promise<void> {
  const log = (line: string) => console.error(line);
  Object.assign(process.env, (await pulumiToolchain(log)).env);
  const host = await bootedHost({ release: "bookworm", packages: djangoWatchPackages, log });
  const stack = await testStack();
  try {
    await prepareDjangoWatch(host);
    const config = await exampleConfig(stack, "django-watch");
    const wheels = await wheelhouse(join(examples, "django-watch/app/requirements.txt"), log);
    const parts = Object.entries(config.pythonServices ?? {}).map(([name, part]) => [
      name,
      { ...part, wheelhouse: wheels },
    ]);
    const { django, ...others } = config.healthChecks ?? {};
    const ops = config.notifiers?.ops ?? {};
    await stack.configure({
      ...config,
      hosts: { web1: { connection: connectionOf(host) } },
      pythonServices: {
        ...Object.fromEntries(parts),
        receiver: { source: join(import.meta.dirname, "../../test/hosts/programs"), exec: ["python", "receiver.py"] },
      },
      notifiers: { ops: { ...ops, mail: { ...(ops.mail as object), port: 2525 } } },
      // The checks are made once a second here, so what is half a minute to the example is a few seconds.
      healthChecks: { ...others, django: { ...django, onCalendar: ["2099-01-01"], graceSec: "3s", backoffSec: "2s" } },
    });
    const up = await stack.up();
    if (up.code !== 0) throw new Error(up.output);
    console.log(
      "| part | what happens to it | what is done, after | what is sent, by mail and webhook |\n|---|---|---|---|",
    );
    const only = new RegExp(process.argv[2] ?? "");
    for (const fault of faults().filter(({ check, what }) => only.test(`${check} ${what}`))) {
      console.log(await row(host, fault));
    }
  } finally {
    await host.down();
    stack.remove();
  }
}

await main();
