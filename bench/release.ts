// How long a large release takes, and how much memory: `node bench/release.ts` (root, for the owners of what is unpacked), with
// rsync and ansible-core (`pip install ansible-core==2.19.14`) on the PATH.
// Packing and unpacking by this library, next to rsync and to Ansible's unarchive, each on the same disk of this machine.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..");
const base = mkdtempSync(join(tmpdir(), "bench-release-"));
process.env.XDG_CACHE_HOME = join(base, "cache");

interface Cost {
  readonly seconds: number;
  readonly megabytes: number;
  readonly output: string;
}

/** Runs a command to its end: wall time, and the largest memory of it or of one of its children. */
function cost(command: readonly string[]): Cost {
  const program =
    "import json,resource,subprocess,sys,time;b=time.monotonic();d=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE,stderr=subprocess.PIPE,text=True);" +
    "print(json.dumps([d.returncode,time.monotonic()-b,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024,d.stdout,d.stderr]))";
  const [code, seconds, megabytes, output, errors] = JSON.parse(
    execFileSync("python3", ["-c", program, ...command], { encoding: "utf8", maxBuffer: 1 << 28 }),
  );
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${errors}${output}`);
  return { seconds, megabytes, output };
}

function tree(name: string, files: number, bytes: number): string {
  const root = join(base, name);
  const content = Buffer.alloc(bytes);
  for (let index = 0; index < files; index++) {
    const folder = join(root, `package${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(folder, { recursive: true });
    for (let at = 0; at < content.length; at += 4) content.writeUInt32LE((index * 2654435761 + at) >>> 0, at);
    writeFileSync(join(folder, `module${index}.py`), content);
  }
  return root;
}

function installed(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

const pack = `import { releaseArchive } from ${JSON.stringify(join(repository, "activation", "release.ts"))};
console.log(JSON.stringify(releaseArchive(process.argv[1])));`;
const unpack = `import sys
sys.path[:0] = ${JSON.stringify(["host", "health"].map((program) => join(repository, "activation", program)))}
from pulumi_systemd_host.bundle import Upload
from pulumi_systemd_host.releases import keep_archive, unpack
from pulumi_systemd_host.system import Host
home, upload, sha, directory = sys.argv[1:]
archive = Upload("bench", sha, upload)
keep_archive(archive, home, directory + ".kept")
unpack(Host(), archive, directory + ".kept", directory, 600)`;

function row(what: string, { seconds, megabytes }: Cost): void {
  console.log(`| ${what} | ${seconds.toFixed(1)} s | ${megabytes.toFixed(0)} MB |`);
}

try {
  for (const [what, files, bytes] of [
    ["20,000 files of 2 KB", 20_000, 2048],
    ["200 MB in 200 files", 200, 1 << 20],
  ] as const) {
    const source = tree(`${files}`, files, bytes);
    console.log(`\n${what}\n\n| | time | memory |\n|---|---|---|`);
    const packed = cost([process.execPath, "--input-type=module-typescript", "--eval", pack, source]);
    row("pack (machine that runs Pulumi)", packed);
    const { path, sha256 }: { path: string; sha256: string } = JSON.parse(packed.output);
    const home = join(base, "cache", "pulumi-systemd", "releases");
    const target = join(base, `unpacked-${files}`);
    row(
      "check, unpack and sync (host)",
      cost(["python3", "-c", unpack, home, path.slice(home.length + 1), sha256, target]),
    );
    if (installed("rsync")) row("rsync -a, nothing there yet", cost(["rsync", "-a", `${source}/`, `${target}-rsync/`]));
    else console.log("| rsync | not installed | |");
    if (installed("ansible")) {
      mkdirSync(`${target}-ansible`);
      const facts = `src=${path} dest=${target}-ansible remote_src=yes`;
      row("Ansible unarchive", cost(["ansible", "localhost", "-c", "local", "-m", "unarchive", "-a", facts]));
    } else console.log("| Ansible unarchive | not installed | |");
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}
