// Every unit file and drop-in that a Debian release ships is parsed, printed, and installed as /etc/systemd/system/NAME,
// which hides the shipped one. `systemctl show --all` must then say of every unit what it said before.
import type { SandboxHost } from "../../sandbox/host.ts";
import { debianReleases, systemdVersion } from "../../sandbox/release.ts";
import { parseUnitFile, printUnitFile } from "../../systemd/unit-file.ts";
import { writeHostFiles } from "./host-commands.ts";
import { compared, isScript, joined, type Measurement, onHosts, printedMeasurement } from "./measurement.ts";
import { shippedUnits } from "./shipped-units.ts";

const folder = "/etc/systemd/system";

/** Properties that are not compared, each with its reason. */
export const ignoredProperties: readonly { readonly property: RegExp; readonly reason: string }[] = [
  {
    property:
      /^(CPUUsageNSec|Memory(Current|Peak|Available|Swap\w*|ZSwap\w*)|TasksCurrent|(IO|IP)\w+(Bytes|Operations|Packets))$/,
    reason: "what a running service has used until now",
  },
  {
    property: /^StateChangeTimestamp(Monotonic)?$/,
    reason: "the time of the last change of state, which daemon-reload itself is for some running services",
  },
];

/** Properties that hold a set of units, which systemd shows in the order of its hash table: their words are sorted. */
const sets = new Set(
  (
    "Names Requires Requisite Wants BindsTo PartOf Upholds RequiredBy RequisiteOf WantedBy BoundBy UpheldBy ConsistsOf " +
    "Conflicts ConflictedBy Before After OnFailure OnFailureOf OnSuccess OnSuccessOf Triggers TriggeredBy SliceOf " +
    "PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf RequiresMountsFor " +
    "WantsMountsFor"
  ).split(" "),
);

/** Properties that tell where a file lies: compared without the folder, which is what the round trip changes. */
const paths = new Set(["FragmentPath", "DropInPaths"]);

type Properties = ReadonlyMap<string, string>;

/**
 * Compares `systemctl show` of every shipped unit before and after the round trip of all files.
 * @param printed What becomes of the text of a file; another one than the codec is for seeing that a fault is found.
 */
export async function codecMeasurement(
  host: SandboxHost,
  printed: (path: string, text: string) => string = (_path, text) => printUnitFile(parseUnitFile(text)),
): Promise<Measurement> {
  const systemd = systemdVersion[host.release];
  const files = await shippedUnits(host);
  const units = shownUnits([...files.keys()]);
  // A link or file of that name would hide the shipped file from the first look.
  await host.output(`cd ${folder} && rm -f -- ${[...files.keys()].map((path) => `'${path}'`).join(" ")}`);
  const before = await shown(host, units);
  const copies = [...files].map(([path, text]) => [`${folder}/${path}`, printed(path, text)] as const);
  await writeHostFiles(host, Object.fromEntries(copies));
  const after = await shown(host, units);
  const cases = units.map((unit) => {
    const [was, is] = [before.get(unit), after.get(unit)];
    const properties = new Set([...(was ?? new Map()).keys(), ...(is ?? new Map()).keys()]);
    const differing = [...properties].filter((property) => was?.get(property) !== is?.get(property));
    const side = (shown: Properties | undefined) => differing.map((name) => `${name}=${shown?.get(name) ?? ""}`);
    return { input: unit, ours: side(is), theirs: side(was) };
  });
  await host.output(`cd ${folder} && rm -f -- ${[...files.keys()].map((path) => `'${path}'`).join(" ")}`);
  await host.output("systemctl daemon-reload");
  const changed = [...files].filter(([path, text]) => printed(path, text) !== text).length;
  const loaded = units.filter((unit) => before.get(unit)?.get("LoadState") === "loaded").length;
  const compares = [...before.values()].reduce((sum, properties) => sum + properties.size, 0);
  return joined([
    compared("units with equal properties", systemd, cases),
    {
      rows: [],
      mismatches: [],
      notes: [
        `systemd ${systemd}: ${files.size} files, ${changed} of them changed by printing; ${units.length} units, ` +
          `${loaded} of them loaded; ${compares} properties compared`,
      ],
    },
  ]);
}

/** The units to look at: each file's own, an instance of each template, and one for each drop-in of a name's beginning. */
function shownUnits(paths: readonly string[]): readonly string[] {
  const names = paths.map((path) => path.replace(/\.d\/.*$/, ""));
  const whole = names.filter((name) => name.includes("."));
  const instances = whole.map((name) =>
    name.replace(/@\.(\w+)$/, "@roundtrip.$1").replace(/-\.(slice|service)$/, "-1.$1"),
  );
  return [...new Set(instances)].sort();
}

async function shown(host: SandboxHost, units: readonly string[]): Promise<ReadonlyMap<string, Properties>> {
  const names = units.map((unit) => `'${unit}'`).join(" ");
  const text = await host.output(`systemctl daemon-reload && systemctl show --all -- ${names}`);
  const blocks = text.trimEnd().split("\n\n");
  if (blocks.length !== units.length) {
    throw new Error(`${host.release}: systemctl show says ${blocks.length} blocks of ${units.length} units`);
  }
  return new Map(units.map((unit, index) => [unit, propertiesOf(blocks[index]!)]));
}

function propertiesOf(block: string): Properties {
  const properties = new Map<string, string>();
  for (const line of block.split("\n")) {
    const [name = ""] = line.split("=", 1);
    if (ignoredProperties.some(({ property }) => property.test(name))) continue;
    // Properties such as ExecStart= are shown once for each of their values.
    properties.set(name, `${properties.has(name) ? `${properties.get(name)}\n` : ""}${line.slice(name.length + 1)}`);
  }
  for (const [name, value] of properties) {
    if (sets.has(name)) properties.set(name, value.split(" ").sort().join(" "));
    if (paths.has(name)) properties.set(name, value.replaceAll(/\S*\/systemd\/system\//g, ""));
  }
  return properties;
}

if (isScript(import.meta.filename)) {
  await printedMeasurement(0, () =>
    onHosts(debianReleases, async (hosts) => joined(await Promise.all(hosts.map((host) => codecMeasurement(host))))),
  );
}
