import type { Bundle } from "../../activation/bundle.ts";
import type { SandboxHost } from "../../sandbox/host.ts";

/** One unit at one moment, as systemd has it. */
export interface LookedUnit {
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly invocation: string;
  /** Microseconds since the boot at which its main process was started; `0` without one. */
  readonly began: string;
  readonly enablement: string;
  readonly fragment: string;
  readonly needsReload: string;
  /** Of its main process; null without one. */
  readonly nice: number | null;
}

/** A host at one moment, and what systemd's process 1 did since another. */
export interface PairLook {
  readonly units: Readonly<Record<string, LookedUnit>>;
  /** How often units were started, and reloaded, since the look before. */
  readonly starts: Readonly<Record<string, number>>;
  readonly reloads: Readonly<Record<string, number>>;
  readonly daemonReloads: number;
  /** SHA-256, mode and owner of each path that was asked for and is there. */
  readonly files: Readonly<Record<string, string>>;
  /** Links of `systemctl enable` whose name begins with `pair`, with their folder. */
  readonly links: readonly string[];
  /** Paths at which somebody listens, below /run/pairs-. */
  readonly listening: readonly string[];
  readonly cursor: string;
}

const program = `
import glob, hashlib, json, os, stat, subprocess
asked = json.loads(ASKED)
keys = dict(LoadState="load", ActiveState="active", SubState="sub", Result="result", InvocationID="invocation",
    ExecMainStartTimestampMonotonic="began", UnitFileState="enablement", FragmentPath="fragment",
    NeedDaemonReload="needsReload")

def out(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout

units = {}
if asked["names"]:
    text = out("systemctl", "show", "-p", ",".join(["Id", "MainPID", *keys]), "--", *asked["names"])
    for name, block in zip(asked["names"], text.strip().split("\\n\\n")):
        value = dict(line.partition("=")[::2] for line in block.split("\\n"))
        units[name] = {short: value.get(key, "") for key, short in keys.items()}
        pid = int(value.get("MainPID") or 0)
        units[name]["nice"] = os.getpriority(os.PRIO_PROCESS, pid) if pid else None

subprocess.run(["journalctl", "--sync"], check=True)
starts, reloads, daemon_reloads, cursor = {}, {}, 0, asked["cursor"]
# Filters of journalctl lose the first entry after a cursor on systemd 247 and 252.
new = ["--after-cursor=" + cursor] if cursor else ["--lines=1"]
for line in out("journalctl", "--quiet", "--no-pager", "--all", "--output=json", *new).splitlines():
    entry = json.loads(line)
    cursor = entry["__CURSOR"]
    if entry.get("_PID") != "1" or not asked["cursor"]:
        continue
    counts = {"39f53479d3a045ac8e11786248231fbf": starts, "7b05ebc668384222baa8881179cfda54": reloads}.get(entry.get("MESSAGE_ID"))
    if counts is not None and "UNIT" in entry:
        counts[entry["UNIT"]] = counts.get(entry["UNIT"], 0) + 1
    daemon_reloads += str(entry.get("MESSAGE")).rstrip(".") == "Reloading"

files = {}
for path in asked["paths"]:
    if os.path.lexists(path):
        info = os.lstat(path)
        with open(path, "rb") as source:
            digest = hashlib.sha256(source.read()).hexdigest()
        files[path] = f"{digest} {stat.filemode(info.st_mode)} {info.st_uid}:{info.st_gid}"
links = sorted("/".join(path.split("/")[-2:]) for path in glob.glob("/etc/systemd/system/*.*/pair*"))
with open("/proc/net/unix") as source:
    rows = [line.split() for line in source]
listening = sorted(row[7] for row in rows if len(row) > 7 and row[7].startswith("/run/pairs-") and row[3] == "00010000")
print(json.dumps({"units": units, "starts": starts, "reloads": reloads, "daemonReloads": daemon_reloads,
    "files": files, "links": links, "listening": listening, "cursor": cursor}))
`;

/**
 * Looks at what these bundles have on a host.
 * @param since the look from which on starts and reloads count; none for the first
 */
export async function pairLook(host: SandboxHost, bundles: readonly Bundle[], since?: PairLook): Promise<PairLook> {
  const units = bundles.flatMap((bundle) => bundle.units);
  const asked = {
    // systemd shows no template.
    names: [...new Set(units.map(({ name }) => name))].filter((name) => !name.includes("@.")).sort(),
    paths: [...new Set([...units, ...bundles.flatMap(({ files }) => files)].map(({ path }) => path))].sort(),
    cursor: since?.cursor ?? "",
  };
  const text = JSON.stringify(JSON.stringify(asked));
  // What the program above prints.
  return JSON.parse(await host.output("python3 -", { stdin: program.replace("ASKED", () => text) })) as PairLook;
}
