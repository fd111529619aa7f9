import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { isOlder, pulumiToolchain, pulumiVersion, type ToolchainPlaces } from "../../setup/toolchain.ts";

const platform = `${process.platform}-${process.arch}`;
const systemPath = "/usr/bin:/bin";
const ambient = {
  PULUMI_SKIP_UPDATE_CHECK: "true",
  PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
};

let folder: string;
let server: Server | undefined;
let served: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "toolchain-test-"));
  served = [];
});
afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A folder with a `pulumi` that answers `version`, and "installs" plugins into its home, and with its language host. */
function fakePulumi(bin: string, version: string): string {
  mkdirSync(bin, { recursive: true });
  const plugin = "$PULUMI_HOME/plugins/resource-command-v1.2.1";
  program(
    join(bin, "pulumi"),
    `case "$*" in version) echo v${version} ;; "plugin install resource command 1.2.1") mkdir -p "${plugin}"; touch "${plugin}/pulumi-resource-command" ;; *) exit 64 ;; esac`,
  );
  program(join(bin, "pulumi-language-nodejs"), "true");
  return bin;
}

function program(file: string, script: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/bash\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Serves a release of the pinned version; `sum` replaces its published SHA-256 sum. */
async function releases(layout: "pulumi" | "pulumi/bin", sum?: string): Promise<string> {
  const source = join(folder, "source");
  fakePulumi(join(source, layout), pulumiVersion);
  const archive = join(folder, "archive.tar.gz");
  assert.equal(spawnSync("tar", ["-czf", archive, "-C", source, "pulumi"]).status, 0);
  const bytes = readFileSync(archive);
  const name = `pulumi-v${pulumiVersion}-${platform}.tar.gz`;
  const files: Record<string, Buffer> = {
    [`/v${pulumiVersion}/${name}`]: bytes,
    [`/v${pulumiVersion}/pulumi-${pulumiVersion}-checksums.txt`]: Buffer.from(
      `${"0".repeat(64)}  other.tar.gz\n${sum ?? createHash("sha256").update(bytes).digest("hex")}  ${name}\n`,
    ),
  };
  server = createServer((request, response) => {
    served.push(request.url!);
    const file = files[request.url!];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

function places(more: ToolchainPlaces = {}): ToolchainPlaces {
  return { env: { PATH: systemPath }, cache: folder, shared: join(folder, "no-shared"), ...more };
}

function commandPlugin(home: string): string {
  return join(home, "plugins", "resource-command-v1.2.1", "pulumi-resource-command");
}

test("a new enough pulumi on PATH is taken, with a PULUMI_HOME of our own", async () => {
  const bin = fakePulumi(join(folder, "bin"), "3.300.1");
  const path = `${join(folder, "nothing")}:${bin}:${systemPath}`;
  const home = join(folder, "toolchain", "home");
  assert.deepEqual(await pulumiToolchain(() => {}, places({ env: { PATH: path } })), {
    source: "PATH",
    version: "3.300.1",
    env: { PATH: `${bin}:${path}`, PULUMI_HOME: home, ...ambient },
  });
  assert.ok(existsSync(commandPlugin(home)));
});

test("an older one, one that does not run and one without its language host are passed over", async () => {
  const old = fakePulumi(join(folder, "old"), "3.258.9");
  const broken = fakePulumi(join(folder, "broken"), "3.300.0");
  program(join(broken, "pulumi"), "exit 1");
  const alone = fakePulumi(join(folder, "alone"), "3.300.0");
  rmSync(join(alone, "pulumi-language-nodejs"));
  const path = [old, broken, alone, systemPath].join(":");
  const found = await pulumiToolchain(() => {}, places({ env: { PATH: path }, releases: await releases("pulumi") }));
  assert.deepEqual([found.source, found.version], ["official release", pulumiVersion]);
});

suite("../shared/toolchain", { skip: platform !== "linux-x64" && "its programs are for Linux x86_64" }, () => {
  function sharedFolder(install: string): string {
    const shared = join(folder, "shared");
    mkdirSync(shared);
    writeFileSync(join(shared, "SHA256SUMS"), "sums\n");
    writeFileSync(join(shared, "install"), `set -eu\n${install}\n`);
    return shared;
  }

  test("is unpacked once", async () => {
    const ready = join(folder, "ready");
    fakePulumi(join(ready, "bin"), pulumiVersion);
    const shared = sharedFolder(`echo run >>"${folder}/runs"; mkdir -p "$1"; cp -r "${ready}/." "$1"`);
    const home = join(
      folder,
      "toolchain",
      `shared-${createHash("sha256").update("sums\n").digest("hex").slice(0, 12)}`,
    );
    const expected = {
      source: "shared folder",
      version: pulumiVersion,
      env: { PATH: `${join(home, "bin")}:${systemPath}`, PULUMI_HOME: home, ...ambient },
    };
    assert.deepEqual(await pulumiToolchain(() => {}, places({ shared })), expected);
    assert.deepEqual(await pulumiToolchain(() => {}, places({ shared })), expected);
    assert.equal(readFileSync(join(folder, "runs"), "utf8"), "run\n");
  });

  test("an install that fails says why, and is tried again the next time", async () => {
    const shared = sharedFolder("echo no space >&2; exit 1");
    await assert.rejects(
      pulumiToolchain(() => {}, places({ shared })),
      {
        message: "../shared/toolchain/install failed (exit code 1):\n  no space",
      },
    );
    await assert.rejects(
      pulumiToolchain(() => {}, places({ shared })),
      /no space/,
    );
  });
});

suite("the official release", () => {
  for (const layout of ["pulumi", "pulumi/bin"] as const) {
    test(`is downloaded once, checked and unpacked, with its programs in ${layout}/`, async () => {
      const address = await releases(layout);
      const steps: string[] = [];
      const home = join(folder, "toolchain", pulumiVersion);
      const expected = {
        source: "official release",
        version: pulumiVersion,
        env: { PATH: `${join(home, "bin")}:${systemPath}`, PULUMI_HOME: home, ...ambient },
      };
      const both = await Promise.all([
        pulumiToolchain((step) => steps.push(step), places({ releases: address })),
        pulumiToolchain(() => {}, places({ releases: address })),
      ]);
      assert.deepEqual(both, [expected, expected]);
      assert.equal(served.length, 2, `served ${served}`);
      assert.ok(existsSync(commandPlugin(home)));
      assert.deepEqual(readdirSync(join(folder, "toolchain")), [pulumiVersion]);
    });
  }

  test("with another sum than published is refused, and nothing stays", async () => {
    const address = await releases("pulumi", "a".repeat(64));
    await assert.rejects(
      pulumiToolchain(() => {}, places({ releases: address })),
      /is not what Pulumi published: its SHA-256 is [0-9a-f]{64}, pulumi-3\.259\.0-checksums\.txt says a{64}$/,
    );
    assert.deepEqual(readdirSync(join(folder, "toolchain")), []);
  });

  test("that is not there, or cannot be reached, is one clear error", async () => {
    const address = await releases("pulumi");
    const sums = `v${pulumiVersion}/pulumi-${pulumiVersion}-checksums.txt`;
    await assert.rejects(
      pulumiToolchain(() => {}, places({ releases: `${address}/other` })),
      {
        message: `cannot download ${address}/other/${sums} (HTTP 404): install pulumi on PATH yourself where this address cannot be reached`,
      },
    );
    await assert.rejects(
      pulumiToolchain(() => {}, places({ releases: "http://127.0.0.1:1" })),
      {
        message: `cannot download http://127.0.0.1:1/${sums} (bad port): install pulumi on PATH yourself where this address cannot be reached`,
      },
    );
  });
});

test("versions compare by number", () => {
  assert.deepEqual(
    [
      ["3.259.0", "3.259.0"],
      ["3.99.0", "3.259.0"],
      ["3.260.0", "3.259.9"],
      ["4.0.0", "3.259.0"],
      ["3.259.0", "3.259.1"],
    ].map(([a, b]) => isOlder(a!, b!)),
    [false, true, false, false, true],
  );
});
