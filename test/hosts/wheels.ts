import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxHost } from "../../sandbox/host.ts";
import type { DebianRelease } from "../../sandbox/release.ts";
import { cacheFolder } from "../../setup/cache.ts";
import { commandOutput } from "../../setup/command.ts";
import { withLock } from "../../setup/lock.ts";
import { pip } from "../../setup/pip.ts";

/** FastAPI, uvicorn, Celery with its Redis client, and all that they need on any of the three Pythons. */
const pins: readonly string[] = [
  ...["amqp==5.3.1", "annotated-types==0.7.0", "anyio==4.9.0", "async-timeout==5.0.1", "billiard==4.2.1"],
  ...["celery==5.5.2", "click==8.1.8", "click-didyoumean==0.3.1", "click-plugins==1.1.1", "click-repl==0.3.0"],
  ...["exceptiongroup==1.3.0", "fastapi==0.115.12", "h11==0.16.0", "idna==3.10", "kombu==5.5.3"],
  ...["prompt-toolkit==3.0.51", "pydantic==2.11.5", "pydantic-core==2.33.2", "python-dateutil==2.9.0.post0"],
  ...["redis==5.2.1", "six==1.17.0", "sniffio==1.3.1", "starlette==0.46.2", "typing-extensions==4.13.2"],
  ...["typing-inspection==0.4.1", "tzdata==2025.2", "uvicorn==0.34.2", "vine==5.1.0", "wcwidth==0.2.13"],
];

/** Python of each release as wheels name it; no version of numpy has wheels for both 3.9 and 3.13. */
const pythons: Readonly<Record<DebianRelease, { readonly tag: string; readonly numpy: string }>> = {
  bullseye: { tag: "39", numpy: "numpy==2.0.2" },
  bookworm: { tag: "311", numpy: "numpy==2.0.2" },
  trixie: { tag: "313", numpy: "numpy==2.2.6" },
};

/** What is asked of pip on the host; it finds the rest among the wheels, or says what is missing there. */
const wanted = ["fastapi", "uvicorn", "celery[redis]", "numpy"];

const platforms: Readonly<Record<string, string>> = { x64: "manylinux2014_x86_64", arm64: "manylinux2014_aarch64" };

/**
 * Makes a virtual environment with FastAPI, uvicorn, Celery and numpy on a host that has no internet.
 *
 * @param folder - absolute path of the environment on the host; its parent must be there
 * @param log - told when wheels are being downloaded
 * @throws Error when the wheels can neither be found in the cache nor be downloaded, or do not install
 */
export async function makeVirtualEnvironment(
  host: SandboxHost,
  folder: string,
  log: (line: string) => void,
): Promise<void> {
  const wheels = await wheelArchive(host.release, log);
  await host.output(
    `set -e; mkdir /var/tmp/wheels; tar -C /var/tmp/wheels -xf -
    python3 -m venv ${folder}
    ${folder}/bin/pip install --disable-pip-version-check --quiet --no-compile --no-index --find-links /var/tmp/wheels ${wanted.join(" ")}
    rm -r /var/tmp/wheels`,
    { stdin: readFileSync(wheels), timeoutSec: 300 },
  );
}

/**
 * The tar of the wheels for the Python of a release, under `wheels/` in the cache; downloaded by pip (about 24 MB) when
 * it is not there.
 */
async function wheelArchive(release: DebianRelease, log: (line: string) => void): Promise<string> {
  const { tag, numpy } = pythons[release];
  const platform = platforms[process.arch];
  if (platform === undefined) throw new Error(`there is no set of wheels for ${process.arch}: only for x64 and arm64`);
  const requirements = `${[...pins, numpy].join("\n")}\n`;
  const digest = createHash("sha256").update(requirements).update(platform).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), "wheels");
  const archive = join(folder, `cp${tag}-${digest}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(folder, { recursive: true });
  // One at a time: they would wait for the same line, and two test runs must not write the same file.
  await withLock(join(folder, "lock"), async () => {
    if (existsSync(archive)) return;
    log(`downloading the wheels of ${wanted.join(", ")} for Python ${tag} to ${folder}`);
    const partial = `${archive}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial);
    const list = join(partial, "requirements.txt");
    writeFileSync(list, requirements);
    try {
      // Without their dependencies: pip judges "needed below Python 3.11" by the Python that it runs on.
      const target = ["--no-deps", "--only-binary=:all:", "--python-version", tag, "--platform", platform];
      const quiet = ["--quiet", "--disable-pip-version-check"];
      await commandOutput(
        "pip download",
        [...(await pip(log)), "download", ...quiet, ...target, "--dest", partial, "--requirement", list],
        { timeoutSec: 600 },
      );
      rmSync(list);
      await commandOutput("tar", ["tar", "-C", partial, "-cf", `${archive}.new`, "."]);
      renameSync(`${archive}.new`, archive);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `the wheels for the programs of this test cannot be had: ${reason}\n` +
          `they are downloaded once, by pip, to ${folder}: pip must reach a package index (pip.conf, PIP_INDEX_URL, HTTPS_PROXY)`,
        { cause: error },
      );
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  });
  return archive;
}
