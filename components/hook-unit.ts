import { encodedExecCommand } from "../systemd/exec-command.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import { parseUnitFile, printUnitFile, type UnitEntry } from "../systemd/unit-file.ts";
import type { DefinedHook } from "./definition.ts";
import { unitHeader } from "./unit.ts";

/**
 * Directives of a service that make no sense for a command that runs once beside it, or would disturb it: systemd removes a
 * RuntimeDirectory= when the unit ends, and the service still uses it.
 */
const notOfHooks =
  /^(Exec.*|Type|Restart.*|WatchdogSec|WatchdogSignal|Notify.*|Sockets|Runtime(Directory|Max|Randomized).*|PIDFile|BusName|RemainAfterExit|GuessMainPID|Timeout.*|OOMPolicy|FileDescriptorStore.*|NonBlocking|SuccessExitStatus|KillMode|.*KillSignal|USBFunction.*|X-.*)$/;

/**
 * The unit that runs a hook: the account, environment, secrets, sandbox and limits of the service's [Service] section, with
 * the hook's own command.
 * @param text unit file of the service
 */
export function hookUnitText(hook: DefinedHook, text: string): string {
  const service = parseUnitFile(text).sections.filter(({ name }) => name === "Service");
  const kept = service.flatMap(({ entries }) => entries).filter(({ key }) => !notOfHooks.test(key));
  const entries: UnitEntry[] = [
    { key: "Type", value: "oneshot" },
    ...kept,
    ...dynamicUser(hook, kept),
    { key: "ExecStart", value: encodedExecCommand(hook.exec) },
    { key: "TimeoutStartSec", value: String(hook.seconds) },
    { key: "TimeoutStopSec", value: "10" },
  ];
  const description = escapedSpecifiers(`${hook.kind} of ${hook.unit}`);
  return printUnitFile(
    {
      sections: [
        { name: "Unit", entries: [{ key: "Description", value: description }] },
        { name: "Service", entries },
      ],
    },
    unitHeader,
  );
}

/**
 * A dynamic user is named after its unit. The hook takes the service's, or systemd would give the service's state directory
 * to another user while the service runs.
 */
function dynamicUser(hook: DefinedHook, entries: readonly UnitEntry[]): UnitEntry[] {
  const isDynamic = entries.findLast(({ key }) => key === "DynamicUser");
  if (isDynamic === undefined || !/^(1|y|yes|t|true|on)$/i.test(isDynamic.value)) return [];
  if (entries.some(({ key }) => key === "User")) return [];
  const name = hook.unit.replace(/\.service$/, "");
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(name)) {
    throw new Error(
      `${hook.unit}: a ${hook.kind} hook runs as the service's user, and "${name}" cannot name a dynamic one; give it a \`user\``,
    );
  }
  return [{ key: "User", value: name }];
}
