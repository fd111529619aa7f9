import type { CheckedUnit } from "../checked-unit.ts";
import { assignments, execCommands, valuesSinceReset } from "./service-directives.ts";

/**
 * Why a service seems to take connections, or undefined: a socket unit of the host is for it, `SocketBindAllow=` lets it
 * bind, its command has an option such as `--port` or `--bind`, or a variable such as `PORT`. A program that takes its
 * port from a file of its own is not seen.
 */
export function listeningSign(service: CheckedUnit, units: readonly CheckedUnit[]): string | undefined {
  const socket = units.find((unit) => unit.name.endsWith(".socket") && serviceOfSocket(unit) === service.name);
  if (socket !== undefined) return `${socket.name} is its socket`;
  if (valuesSinceReset(service.model, "SocketBindAllow").length > 0) return "SocketBindAllow= lets it bind";
  const commands = valuesSinceReset(service.model, "ExecStart").flatMap(execCommands);
  const words = commands.flatMap(({ path, arguments: given }) => [path, ...given]);
  const option = words.find((word) => /^--?(port|bind|listen|host|http-socket|listen-address)(=.*)?$/.test(word));
  if (option !== undefined) return `its command has ${option.split("=")[0]}`;
  if (words.some((word) => word === "http.server")) return "its command is http.server";
  const variable = valuesSinceReset(service.model, "Environment").find((value) =>
    /(^|[ "])(\w+_)?(PORT|LISTEN|BIND)=/.test(value),
  );
  return variable === undefined ? undefined : "its environment has a port";
}

function serviceOfSocket({ name, model }: CheckedUnit): string {
  const written = assignments(model, "Service", "Socket").at(-1) ?? "";
  return written === "" ? `${name.slice(0, -".socket".length)}.service` : written;
}
