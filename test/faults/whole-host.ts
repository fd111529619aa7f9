import { isDeepStrictEqual } from "node:util";
import type { SandboxHost } from "../../sandbox/host.ts";
import { type Listed, type Listing, listing, listingChanges } from "../hosts/listing.ts";

/** A whole host at one moment: its files with their bytes, enablement, what runs and with which bytes it was started. */
export interface WholeHost {
  readonly files: Listing;
  /** By unit name: state, enablement, command line and environment of its process. */
  readonly units: Readonly<Record<string, string>>;
}

/** Prints, for every unit of the trials, what of it must be the same. */
const lookAtUnits = `
import json, subprocess
keys = "Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,MainPID,Listen,Description"
names = subprocess.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "--full", "f-*", "ssh.service"],
    stdout=subprocess.PIPE, text=True).stdout.split("\\n")
files = subprocess.run(["systemctl", "list-unit-files", "--no-legend", "--full", "f-*"],
    stdout=subprocess.PIPE, text=True).stdout.split("\\n")
asked = sorted({line.split()[0] for line in names + files if line.split()})
found = {}
if asked:
    text = subprocess.run(["systemctl", "show", "-p", keys, "--", *asked], stdout=subprocess.PIPE, text=True).stdout
    for block in text.strip().split("\\n\\n"):
        value = dict(line.partition("=")[::2] for line in block.split("\\n"))
        pid = value.pop("MainPID", "0")
        if value["LoadState"] == "not-found" and value["ActiveState"] == "inactive":
            continue
        if pid != "0" and value["Id"].startswith("f-"):
            with open(f"/proc/{pid}/cmdline") as source:
                value["command"] = source.read().replace("\\0", " ")
            with open(f"/proc/{pid}/environ") as source:
                value["token"] = "".join(each for each in source.read().split("\\0") if each.startswith("TOKEN="))
        found[value["Id"]] = json.dumps(value, sort_keys=True)
print(json.dumps(found))
`;

/** The program's own records: their place counts, their content and number tell of transactions and differ each time. */
const own = /^\/var\/lib\/pulumi-systemd\//;
const answer = /\/(answer-[^/]*|generations\/[0-9]+)\.json$/;

/** Looks at a host. */
export async function wholeHost(host: SandboxHost): Promise<WholeHost> {
  const [files, units] = await Promise.all([listing(host), host.output("python3 -", { stdin: lookAtUnits })]);
  const counted = [...files].flatMap(([path, listed]): [string, Listed][] => {
    if (answer.test(path)) return [];
    return [[path, own.test(path) ? { ...listed, content: "" } : listed]];
  });
  // What this program itself prints, as JSON.
  return { files: new Map(counted), units: JSON.parse(units) as Record<string, string> };
}

/** One line for each thing that differs. */
export function differences(before: WholeHost, now: WholeHost): string[] {
  const names = [...new Set([...Object.keys(before.units), ...Object.keys(now.units)])].sort();
  const units = names.filter((name) => before.units[name] !== now.units[name]);
  return [
    ...listingChanges(before.files, now.files),
    ...units.map((name) => `${name}: ${before.units[name] ?? "not there"} became ${now.units[name] ?? "not there"}`),
  ];
}

/**
 * The host program as it travelled: in the login user's home until a transaction takes it, then where the host keeps it. Which one is
 * there differs with each trial that changes it, so it is no part of a state; a destroy leaves none.
 */
const travelled = /\/\.pulumi-systemd-[0-9a-f]{16}-[0-9a-f]{64}\.program$/;

function withoutPrograms({ files, units }: WholeHost): WholeHost {
  return { files: new Map([...files].filter(([path]) => !travelled.test(path))), units };
}

/** Which of the named states the host is in; an Error tells how it differs from each when it is in none. */
export function stateOf<Name extends string>(now: WholeHost, states: Readonly<Record<Name, WholeHost>>): Name {
  const names = Object.keys(states) as Name[];
  const lines = (name: Name) => differences(withoutPrograms(states[name]), withoutPrograms(now));
  const found = names.find((name) => isDeepStrictEqual(lines(name), []));
  if (found !== undefined) return found;
  const told = names.map((name) => `not ${name}:\n    ${lines(name).join("\n    ")}`);
  throw new Error(`the host is in none of the states\n  ${told.join("\n  ")}`);
}
