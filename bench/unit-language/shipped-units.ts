import type { SandboxHost } from "../../sandbox/host.ts";
import { hostPython } from "./host-commands.ts";

const reader = `
import glob, json, os, sys
found = {}
for folder in ("/usr/lib/systemd/system", "/lib/systemd/system"):
    for pattern in ("*", "*.d/*.conf"):
        for path in glob.glob(os.path.join(folder, pattern)):
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read().decode()
json.dump(found, sys.stdout)
`;

/**
 * Every unit file and drop-in that the packages of a host brought (`/usr/lib/systemd/system`, `/lib/systemd/system`), by
 * its path below that folder. Links are names of other files and are left out.
 */
export async function shippedUnits(host: SandboxHost): Promise<ReadonlyMap<string, string>> {
  const found = await hostPython<Record<string, string>>(host, reader, null);
  return new Map(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The files of `shippedUnits` that are services. */
export function servicesOf(units: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...units].filter(([path]) => path.endsWith(".service")));
}
