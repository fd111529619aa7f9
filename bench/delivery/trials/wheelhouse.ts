import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, renameSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { type DeliveryBench, held } from "../delivery-bench.ts";

/** Wheels that are shipped along to a host without internet, whole and broken, and one as the source of a service. */
export async function wheelhouseTrial(bench: DeliveryBench): Promise<void> {
  const { host, index, quotes, scratch } = bench;
  const { packageIndex: _index, ...plain } = quotes;

  const asked = index.asked.length;
  const alone = await bench.changed(
    "requirements.txt",
    (text) => `${text}# another lock\n`,
    () => bench.refused({ quotes: plain }, /its environment could not be built(.|\n)*No matching distribution/),
  );
  await bench.answers();
  held("a host without internet, and no wheels", "pip's own words; the release before goes on", alone);

  const offline = await bench.good({ quotes: { ...plain, wheelhouse: bench.wheels } });
  await bench.answers();
  assert.equal(index.asked.length, asked);
  held("the same host, with `wheelhouse`", "runs; the build had no network, and no index was asked", offline);

  const broken = (name: string, how: (folder: string, wheel: string) => void) => {
    const folder = join(scratch, `${name} wheels`);
    cpSync(bench.wheels, folder, { recursive: true });
    const wheel = readdirSync(folder).find((file) => file.startsWith("starlette-"));
    assert.ok(wheel !== undefined);
    how(folder, join(folder, wheel));
    return { quotes: { ...plain, wheelhouse: folder } };
  };
  const trials: readonly (readonly [string, RegExp, object])[] = [
    [
      "a wheel that is cut off",
      /starlette.*(is invalid|not a zip|not a valid|corrupt)|BadZipFile|Wheel .*starlette.* is invalid/is,
      broken("cut", (_folder, wheel) => truncateSync(wheel, 5000)),
    ],
    [
      "a wheel for another Python",
      /(Could not find a version|No matching distribution).*starlette==/is,
      broken("other", (_folder, wheel) => renameSync(wheel, wheel.replace("-py3-none-any", "-cp38-cp38-win32"))),
    ],
  ];
  for (const [what, expected, services] of trials) {
    const run = await bench.refused(services, expected);
    await bench.answers();
    held(what, "pip names it; the release before goes on", run);
  }
  const locked = await bench.changed(
    "requirements.txt",
    (text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => `${line} --hash=sha256:${"0".repeat(64)}\n`)
        .join(""),
    () => bench.refused({ quotes: { ...plain, wheelhouse: bench.wheels } }, /DO NOT MATCH THE HASHES/),
  );
  await bench.answers();
  held("a wheel whose hash is not the lock's", "pip names it; the release before goes on", locked);

  const check = ["python", "-c", "import main"];
  const missing = await bench.refused(
    { quotes: { ...plain, ...halfInstalled(bench), check } },
    /its check hook failed(.|\n)*cannot import name 'routing' from 'starlette'/,
  );
  await bench.answers();
  held("a wheel that installs and lacks a module", "`check` finds it beside the old release, which goes on", missing);

  const greeter = { source: greeterWheel(scratch), exec: ["greet"] };
  const run = await bench.good({ quotes, greeter });
  assert.match(await host.output("journalctl --sync; journalctl --no-pager --boot -u greeter -o cat"), /^greetings$/m);
  held("a wheel with a console script as `source`", "runs", run);
}

/** A starlette without its routing, which FastAPI imports. */
function halfInstalled({ scratch, wheels }: DeliveryBench): { readonly wheelhouse: string } {
  const wheelhouse = join(scratch, "half wheels");
  cpSync(wheels, wheelhouse, { recursive: true });
  const wheel = readdirSync(wheelhouse).find((file) => file.startsWith("starlette-"));
  const program = `import sys, zipfile
path = sys.argv[1]
with zipfile.ZipFile(path) as old:
    files = {each.filename: old.read(each) for each in old.infolist() if each.filename != "starlette/routing.py"}
record = next(name for name in files if name.endswith("/RECORD"))
files[record] = b"".join(line for line in files[record].splitlines(True) if not line.startswith(b"starlette/routing.py"))
with zipfile.ZipFile(path, "w") as new:
    for name, content in files.items():
        new.writestr(name, content)`;
  execFileSync("python3", ["-c", program, join(wheelhouse, String(wheel))]);
  return { wheelhouse };
}

/** A wheel with one console script, `greet`. */
function greeterWheel(scratch: string): string {
  const path = join(scratch, "greeter-1.0-py3-none-any.whl");
  const program = `import sys, zipfile
info = "greeter-1.0.dist-info"
files = {
  "greeter.py": "import time\\ndef main():\\n    print('greetings', flush=True)\\n    time.sleep(100000)\\n",
  f"{info}/METADATA": "Metadata-Version: 2.1\\nName: greeter\\nVersion: 1.0\\n",
  f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
  f"{info}/entry_points.txt": "[console_scripts]\\ngreet = greeter:main\\n",
}
files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, content in files.items():
        archive.writestr(name, content)`;
  execFileSync("python3", ["-c", program, path]);
  return path;
}
