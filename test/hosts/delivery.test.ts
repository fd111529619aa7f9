import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { wheelhouse } from "../../sandbox/wheelhouse.ts";
import { whileChanged } from "./changed-file.ts";
import { diagnosis } from "./diagnosis.ts";
import { type ExampleSection, exampleConfig } from "./example.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { allChangesSince, ledger, observedAll, onEach, untouched } from "./observation.ts";

const key = "a key of the tests that nobody may see";
const secrets: Record<string, string> = {
  "pythonServices.shop.secretEnvironment.DJANGO_SECRET_KEY": key,
  "pythonServices.shop.packageIndex.password": key,
};
const data = ["/var/lib/shop"];
/** What does not count in a comparison of a host before and after: its account of itself, and thousands of packages' files. */
const uncounted = [ledger, "/home", "/opt/shop/environments/*/lib", ...data];
const example = join(import.meta.dirname, "..", "..", "examples", "django", "app");

/** How often the host built an environment, and ran each hook, since it booted: by its own journal. */
interface Runs {
  builds: number;
  checks: number;
  migrations: number;
}

suite("examples/django: releases with environments and hooks, to hosts without internet", { timeout: 900_000 }, () => {
  let fleet: Fleet;
  let source: string;
  let config: Record<string, ExampleSection>;
  let counted: Record<string, Runs>;

  const shop = () => config.pythonServices!.shop!;
  const deploy = () => fleet.deploy(config, secrets);
  /** What the hosts ran since this was asked last. */
  const runs = async () => {
    const now = Object.fromEntries(
      await Promise.all(fleet.hosts.map(async (host) => [host.release, await runsOn(host)] as const)),
    );
    const since = Object.entries(now).map(([release, one]) => {
      const before = counted[release] ?? { builds: 0, checks: 0, migrations: 0 };
      const { builds, checks, migrations } = one;
      return [
        release,
        {
          builds: builds - before.builds,
          checks: checks - before.checks,
          migrations: migrations - before.migrations,
        },
      ] as const;
    });
    counted = now;
    return Object.fromEntries(since);
  };
  /** Tries an update that fails: its message on each host; nothing on the hosts may have changed but what is `left`. */
  const refused = async (started: readonly string[] = []) => {
    const before = await observedAll(fleet.hosts, uncounted);
    const run = await fleet.tried(config, secrets);
    assert.equal(run.code, 1, run.output);
    for (const [path, secret] of Object.entries(secrets)) {
      assert.ok(!run.output.includes(secret), `${path} is in the output`);
    }
    const changes = await allChangesSince(before);
    for (const { files, started: units } of Object.values(changes)) {
      assert.deepEqual({ files, units }, { files: [], units: started }, run.output);
    }
    return fleet.hosts.map(({ release }) => {
      const { told, journal } = diagnosis(run, release);
      return [...told, ...journal].join("\n");
    });
  };
  /** Makes a change of the source that is taken back when the test ends. */
  const changed = <T>(file: string, change: (text: string) => string, body: () => Promise<T>) =>
    whileChanged(join(source, file), change, body);

  before(async () => {
    const wheels = await wheelhouse(join(example, "requirements.txt"), console.log);
    fleet = await bootedFleet(withHostileIndex);
    source = join(fleet.stack.folder, "shop");
    cpSync(example, source, { recursive: true });
    config = await exampleConfig(fleet.stack, "django");
    // It is never asked, but its password goes with each build.
    const packageIndex = { url: "https://packages.invalid/simple", username: "shop" };
    Object.assign(shop(), { source, wheelhouse: wheels, packageIndex, timeoutStartSec: "15s" });
    counted = {};
    await deploy();
  });
  after(() => fleet?.down());

  testOnEachHost(
    "it answers, with its migrated database, as its own user, from a release and an environment that only root writes",
    () => fleet,
    async (host) => {
      const answer = await fetch(`http://${host.address}:8000/`, { method: "POST", body: "a lamp" });
      const { orders } = (await answer.json()) as { orders: number };
      assert.equal(orders, 1);
      const { MainPID, User } = await shown(host, "shop.service", "MainPID", "User");
      assert.equal(User, "shop");
      const current = (await host.output("readlink /opt/shop/current")).trim();
      assert.match(current, /^\/opt\/shop\/releases\/[0-9a-f]{16}$/);
      const environment = (await host.output(`realpath ${current}/.venv`)).trim();
      assert.match(environment, /^\/opt\/shop\/environments\/[0-9a-f]{16}$/);
      const words = (await host.output(`tr '\\0' ' ' < /proc/${MainPID}/cmdline`)).split(" ");
      assert.deepEqual(words.slice(0, 2), [`${environment}/bin/python`, `${current}/.venv/bin/gunicorn`]);
      assert.equal(
        await host.output("find /opt/shop \\( ! -user root -o ! -group root -o -perm /7022 \\) ! -type l"),
        "",
      );
      assert.equal(await host.output("ls -A /opt/shop /opt/shop/environments | grep '^[.]' || true"), "");
      assert.equal(
        await host.output("runuser -u shop -- touch /opt/shop/current/x 2>/dev/null && echo yes || true"),
        "",
      );
    },
  );

  test("one build and one run of each hook were made for it", async () => {
    assert.deepEqual(await runs(), onEach(fleet.hosts, { builds: 1, checks: 1, migrations: 1 }));
  });

  test("the same once more does nothing at all", async () => {
    const before = await observedAll(fleet.hosts, uncounted);
    await deploy();
    assert.deepEqual(await allChangesSince(before), onEach(fleet.hosts, untouched));
  });

  test("new code alone restarts the shop, runs its hooks, and builds nothing", async () => {
    const before = await observedAll(fleet.hosts, uncounted);
    appendFileSync(join(source, "shop", "urls.py"), "\n# Another release.\n");
    await deploy();
    assert.deepEqual(await runs(), onEach(fleet.hosts, { builds: 0, checks: 1, migrations: 1 }));
    for (const { logins, daemonReloads, started, files } of Object.values(await allChangesSince(before))) {
      assert.deepEqual({ logins, daemonReloads, started }, { logins: 2, daemonReloads: 1, started: ["shop.service"] });
      assert.deepEqual(
        [...new Set(files.map((line) => line.replace(/[0-9a-f]{16}.*/, "RELEASE")))],
        [
          "changed /etc/systemd/system/shop.service (content)",
          "changed /opt/shop/current (content)",
          "new /opt/shop/releases/RELEASE",
        ],
      );
    }
  });

  test("another lock alone builds one environment; releases and environments before stay for a way back", async () => {
    appendFileSync(join(source, "requirements.txt"), "# Another lock.\n");
    await deploy();
    assert.deepEqual(await runs(), onEach(fleet.hosts, { builds: 1, checks: 1, migrations: 1 }));
    const kept = fleet.hosts.map((host) =>
      host.output("ls /opt/shop/releases /opt/shop/environments | grep -c '^[0-9a-f]'"),
    );
    assert.deepEqual((await Promise.all(kept)).map(Number), [5, 5, 5]);
  });

  test("an import that fails is found beside the old release, which goes on running", () =>
    changed(
      "shop/urls.py",
      (text) => `import no_such_module\n${text}`,
      async () => {
        for (const text of await refused()) {
          assert.match(
            text,
            /shop\.service: its check hook failed, the new release was not switched to: .*exit status 1/,
          );
          assert.match(text, /No module named 'no_such_module'/);
        }
        assert.deepEqual(await runs(), onEach(fleet.hosts, { builds: 0, checks: 1, migrations: 0 }));
      },
    ));

  test("a migration that fails is told with its output, and the old release goes on running", async () => {
    const migration = join(source, "shop", "migrations", "0002_bad.py");
    writeFileSync(
      migration,
      `from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunSQL("insert into no_such_table values (1)")]
`,
    );
    try {
      for (const text of await refused()) {
        assert.match(
          text,
          /shop\.service: its pre-start hook failed, the new release was not switched to: .*exit status 1/,
        );
        assert.match(text, /no such table: no_such_table/);
      }
      assert.deepEqual(await runs(), onEach(fleet.hosts, { builds: 0, checks: 1, migrations: 1 }));
    } finally {
      rmSync(migration);
    }
  });

  test("a package that cannot be installed is told with the installer's output", () =>
    changed(
      "requirements.txt",
      (text) => text.replace("sqlparse==0.5.3", "sqlparse==0.5.4"),
      async () => {
        for (const text of await refused()) {
          assert.match(text, /release shop: its environment could not be built: .*\n(.*\n)*.*sqlparse==0\.5\.4/);
        }
      },
    ));

  test("an interpreter that the host lacks is an error that names those it has", async () => {
    shop().python = "3.7";
    try {
      for (const text of await refused()) {
        assert.match(text, /release shop: this host has no Python 3\.7; it has 3\.\d+ \(\/usr\/bin\/python3\.\d+\)/);
      }
    } finally {
      delete shop().python;
    }
  });

  test("code of a package that is built can read no secret and write nothing but its environment", async () => {
    const folder = join(fleet.stack.folder, "spied");
    mkdirSync(folder);
    writeFileSync(join(folder, "main.py"), "");
    writeFileSync(join(folder, "requirements.txt"), "hostile==1\n");
    const packageIndex = { url: `http://127.0.0.1:${indexPort}/simple`, username: "deploy" };
    const password = "a-password-of-the-tests";
    secrets["pythonServices.spied.packageIndex.password"] = password;
    config.pythonServices!.spied = { source: folder, requirements: "requirements.txt", exec: ["python"], packageIndex };
    try {
      for (const text of await refused()) {
        assert.match(text, /release spied: its environment could not be built/);
        const [, could = "null"] = /it could: (\[.*\])/.exec(text) ?? [];
        // The first is for all to read, the second its own.
        assert.deepEqual(JSON.parse(could), ["read /etc/os-release", "write to /tmp"], text);
        assert.match(text, /index-url = /);
      }
      for (const host of fleet.hosts) {
        const kept = "/etc /home /opt /root /run /srv /tmp /var";
        assert.equal(await host.output(`journalctl --sync; grep -rlsF ${password} ${kept} || true`), "", host.release);
      }
    } finally {
      delete secrets["pythonServices.spied.packageIndex.password"];
      delete config.pythonServices!.spied;
    }
  });

  test("a build that does not end within buildSec is ended, and leaves nothing", () =>
    changed(
      "requirements.txt",
      (text) => `${text}# A third lock.\n`,
      async () => {
        shop().buildSec = "1s";
        try {
          for (const text of await refused()) {
            assert.match(text, /its environment could not be built: it did not end within 1 s and was killed/);
          }
        } finally {
          delete shop().buildSec;
        }
      },
    ));

  test("a hook that does not end within hookSec is ended, and the old release goes on running", async () => {
    const { check } = shop();
    Object.assign(shop(), { check: ["python", "-c", "import time; time.sleep(100)"], hookSec: "2s" });
    try {
      for (const text of await refused()) {
        assert.match(text, /its check hook failed, .* switched to: it did not end within 2 s and was killed/);
      }
    } finally {
      Object.assign(shop(), { check });
      delete shop().hookSec;
    }
  });

  test("a postStart that fails takes the release back; the same release, tried again, runs its migrations again", () =>
    changed(
      "shop/urls.py",
      (text) => `${text}# A release that is tried twice.\n`,
      async () => {
        await runs();
        shop().postStart = ["python", "-c", "raise SystemExit('the shop has no page')"];
        for (const text of await refused(["shop.service"])) {
          assert.match(text, /shop\.service: its post-start hook failed, the new release was taken back: /);
          assert.match(text, /the shop has no page/);
        }
        const once = onEach(fleet.hosts, { builds: 0, checks: 1, migrations: 1 });
        assert.deepEqual(await runs(), once);
        delete shop().postStart;
        await deploy();
        assert.deepEqual(await runs(), once);
      },
    ));

  test("destroy leaves nothing but the data", () => fleet.destroy(data));
});

/** Of an index on each host that has a package whose build does what it should not; each host has a network of its own. */
const indexPort = 9471;

async function withHostileIndex(host: SandboxHost): Promise<void> {
  const folder = "/srv/hostile-1";
  const backend = readFileSync(join(import.meta.dirname, "programs", "hostile_build.py"));
  await host.writeFile(`${folder}/hostile_build.py`, backend);
  await host.writeFile(
    `${folder}/pyproject.toml`,
    '[build-system]\nrequires = []\nbuild-backend = "hostile_build"\nbackend-path = ["."]\n',
  );
  const serving = `python3 -m http.server --bind 127.0.0.1 --directory /srv/index ${indexPort}`;
  await host.output(`mkdir -p /srv/index/simple/hostile
    tar -C /srv -czf /srv/index/simple/hostile/hostile-1.tar.gz hostile-1
    systemd-run --quiet --unit=index ${serving}`);
}

async function runsOn(host: SandboxHost): Promise<Runs> {
  const text = await host.output("journalctl --sync; journalctl --no-pager --boot --output=cat _PID=1");
  // Newer versions of systemd name the unit before its description.
  const count = (what: string) =>
    text.split("\n").filter((line) => /^Starting /.test(line) && line.includes(what)).length;
  return {
    builds: count("pulumi-systemd builds an environment of shop"),
    checks: count("check of shop.service"),
    migrations: count("pre-start of shop.service"),
  };
}
