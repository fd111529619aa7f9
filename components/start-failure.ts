import { assignedTexts, type SectionDirectives } from "../systemd/sections.ts";
import type { ReadyWhenPlain } from "./ready-when.ts";

/** What systemd does to a start that takes too long: `TimeoutStartFailureMode=` of systemd.service(5). */
export const StartFailureMode = {
  /** SIGTERM, and SIGKILL where it still runs after `timeoutStopSec`. */
  Terminate: "terminate",
  /** SIGABRT, for a core dump, and SIGKILL where it still runs after `TimeoutAbortSec=`. */
  Abort: "abort",
  /** SIGKILL at once. */
  Kill: "kill",
} as const;
export type StartFailureMode = (typeof StartFailureMode)[keyof typeof StartFailureMode];

/** Directives of commands that are part of a start, and of kills that would leave processes behind. */
const commandsOfStart = ["ExecCondition", "ExecStartPre", "ExecStartPost"];
const partialKills = { KillMode: /^(process|none)$/, SendSIGKILL: /^(0|n|no|f|false|off)$/i };

/**
 * What is done to a start that took too long, where the arguments do not say.
 *
 * A service that tells when it is up serves nobody before that, so there is nothing that it could end in order, and a program
 * that hangs may heed no SIGTERM: it is killed. Everything else keeps systemd's own `terminate`: `exec` is up before it could
 * hang, the start of a `oneshot` is its work, a `forking` daemon may be at work where only its PIDFile= is wrong, as may one
 * whose ExecStartPost= hangs; ExecStartPre= is work of its own; a probe that is a command may ask something that takes work
 * long before it answers, such as a worker on a queue; and where SIGKILL goes to the main process alone, or to none, its
 * children would stay.
 * @param type value of `Type=`
 */
export function defaultStartFailureMode(
  type: string,
  { readyWhen, service = {} }: { readyWhen?: ReadyWhenPlain | undefined; service?: SectionDirectives | undefined },
): StartFailureMode | undefined {
  const tellsReady = ["notify", "notify-reload", "dbus"].includes(assignedTexts(service.Type)[0] ?? type);
  const isWorker = readyWhen !== undefined && !(readyWhen.http ?? readyWhen.tcp ?? readyWhen.unixSocket);
  const hasCommands = commandsOfStart.some((directive) => assignedTexts(service[directive]).length > 0);
  const isPartial = Object.entries(partialKills).some(([directive, values]) =>
    assignedTexts(service[directive]).some((value) => values.test(value)),
  );
  return tellsReady && !isWorker && !hasCommands && !isPartial ? "kill" : undefined;
}
