import type { UnitModel } from "../../systemd/sections.ts";
import { parsedUnitName } from "../../systemd/unit-name.ts";
import type { Finding } from "./finding.ts";
import { execCommands, isOn, shown, valuesSinceReset } from "./service-directives.ts";

const commandDirectives = [
  "ExecCondition",
  "ExecStartPre",
  "ExecStart",
  "ExecStartPost",
  "ExecReload",
  "ExecStop",
  "ExecStopPost",
] as const;

/**
 * A service of which some process runs as root: no user, root by name or number, or a command that is exempt from
 * `User=`. Follows systemd.exec(5) and systemd.service(5), "Command lines".
 * @param name the unit's file name; gives `%i` and `%p` of `User=` their values
 */
export function nonRootUserFindings(name: string, unit: UnitModel): readonly Finding[] {
  return [...userFindings(name, unit), ...privilegedCommandFindings(unit)];
}

function userFindings(name: string, unit: UnitModel): readonly Finding[] {
  const user = valuesSinceReset(unit, "User").at(-1);
  const wanted = "an account of its own, or DynamicUser=yes";
  const why = "whoever takes over the process is root on the host";
  if (user === undefined) {
    return isOn(unit, "DynamicUser") ? [] : [{ found: shown("User", undefined), wanted, why }];
  }
  return isRoot(expanded(name, user)) ? [{ found: shown("User", user), wanted, why }] : [];
}

function privilegedCommandFindings(unit: UnitModel): readonly Finding[] {
  return commandDirectives.flatMap((directive) => {
    const prefix = valuesSinceReset(unit, directive)
      .map(rootPrefix)
      .find((found) => found !== undefined);
    if (prefix === undefined) return [];
    return [
      {
        found: `[Service] ${directive}= has a command with the prefix ${prefix}`,
        wanted: "no such prefix",
        why: "it runs as root in spite of User=",
      },
    ];
  });
}

/** `+` or `!` where a command of this line has it. `!!` changes nothing on a kernel with ambient capabilities. */
function rootPrefix(line: string): "+" | "!" | undefined {
  const prefixes = execCommands(line).map(({ prefixes: written }) => written.replace("!!", ""));
  if (prefixes.some((written) => written.includes("+"))) return "+";
  return prefixes.some((written) => written.includes("!")) ? "!" : undefined;
}

/** `User=` with the specifiers that its value depends on. `%u` and `%U` are those of the manager, which is root. */
function expanded(name: string, user: string): string {
  const { prefix, instance } = parsedUnitName(name);
  const values: Readonly<Record<string, string | undefined>> = {
    "%u": "root",
    "%U": "0",
    "%i": instance,
    "%p": prefix,
  };
  return user.replaceAll(/%./g, (specifier) => values[specifier] ?? specifier);
}

function isRoot(user: string): boolean {
  return user === "root" || /^0+$/.test(user);
}
