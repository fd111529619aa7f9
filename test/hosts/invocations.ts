import type { SandboxHost } from "../../sandbox/host.ts";

/** Units of logins and of the transaction itself, mounts of credentials, and what the system starts by itself: they come and go. */
const passing =
  /^(session-|run-credentials-|user@|user-\d|user-runtime-dir@|run-user-|pulumi-systemd-|systemd-tmpfiles-clean\.)/;

/** The InvocationID of every unit that was started on the host, by the unit's name: another one is another start. */
export async function invocations(host: SandboxHost): Promise<Record<string, string>> {
  const text = await host.output("systemctl show --property=Id --property=InvocationID '*'");
  const units = text.split("\n\n").map((block) => {
    const property = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(block)?.[1] ?? "";
    return [property("Id"), property("InvocationID")] as const;
  });
  return Object.fromEntries(units.filter(([id, invocation]) => invocation !== "" && !passing.test(id)));
}

/** Names of units that were started in between, and `stopped NAME` for those that systemd does not know any more. */
export function differingUnits(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => before[name] !== after[name])
    .map((name) => (after[name] === undefined ? `stopped ${name}` : name))
    .sort();
}
