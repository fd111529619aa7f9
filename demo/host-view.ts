import { unitTable } from "./table.ts";

/** Runs a shell command on a host as root and gives what it printed. */
export type OnHost = (command: string) => Promise<string>;

/** What systemd says of one unit. */
export interface UnitState {
  readonly name: string;
  readonly active: string;
  readonly enabled: string;
  readonly invocation: string;
  readonly since: string;
}

const properties = ["Id", "ActiveState", "SubState", "UnitFileState", "InvocationID", "StateChangeTimestamp"];

/** State of each unit, in the order of the names. */
export async function unitStates(onHost: OnHost, names: readonly string[]): Promise<UnitState[]> {
  const output = await onHost(`systemctl show --no-pager -p ${properties.join(",")} ${names.join(" ")}`);
  return output
    .trim()
    .split(/\n\n+/)
    .map((block) => {
      const values = Object.fromEntries(
        block.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
      );
      return {
        name: values.Id ?? "",
        active: `${values.ActiveState} (${values.SubState})`,
        enabled: values.UnitFileState || "-",
        invocation: values.InvocationID ?? "",
        since: values.StateChangeTimestamp || "-",
      };
    });
}

/** What a person wants to see of the demo's host after an update, as lines of text. */
export async function hostView(onHost: OnHost, url: string, states: readonly UnitState[]): Promise<string[]> {
  const services = states.map((state) => state.name).filter((name) => name.endsWith(".service"));
  const [answer, pinged, timer, exposure, journal] = await Promise.all([
    httpAnswer(url),
    onHost("systemctl show --no-pager -p WatchdogTimestamp --value hello.service"),
    onHost("systemctl show --no-pager -p NextElapseUSecRealtime --value hello-report.timer"),
    onHost(
      `for u in ${services.join(" ")}; do systemd-analyze security --no-pager "$u" | sed -n 's/^.*Overall exposure level for //p'; done`,
    ),
    onHost("journalctl --no-pager -q -o short-iso -n 6 -u hello.service"),
  ]);
  return [
    "Units on the host",
    ...indented(
      unitTable(
        ["unit", "state", "enabled", "since"],
        states.map((s) => [s.name, s.active, s.enabled, s.since]),
      ),
    ),
    "",
    `HTTP  ${url}`,
    ...indented([answer]),
    "",
    "Watchdog of hello.service (limit 30 s)",
    ...indented([pinged.trim() === "" ? "no ping seen" : `last ping ${pinged.trim()}`]),
    "",
    "Next run of hello-report.timer",
    ...indented([timer.trim()]),
    "",
    "Exposure by systemd-analyze security (0 best, 10 worst)",
    ...indented(exposure.trim().split("\n")),
    "",
    "Journal of hello.service",
    ...indented(journal.trim().split("\n")),
  ];
}

async function httpAnswer(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  return `${response.status} ${(await response.text()).trim()}`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
