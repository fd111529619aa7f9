import { decodedExecCommands, type ExecCommand, ExecCommandError } from "../../systemd/exec-command.ts";
import type { UnitModel } from "../../systemd/sections.ts";
import { parsedBoolean } from "../../systemd/values/boolean.ts";

/** What is assigned to a directive, in order; an empty assignment is an empty string. @param section [Service] by default */
export function assignments(unit: UnitModel, directive: string, section = "Service"): readonly string[] {
  const value = unit[section]?.[directive];
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

/**
 * What systemd reads for a directive of [Service] that keeps its value at an empty assignment (booleans, choices, time
 * spans): the last value that is not empty. Undefined where there is none.
 */
export function valueInForce(unit: UnitModel, directive: string): string | undefined {
  return assignments(unit, directive).findLast((value) => value !== "");
}

/** What systemd reads for a directive of [Service] that an empty assignment resets: all values since the last reset. */
export function valuesSinceReset(unit: UnitModel, directive: string): readonly string[] {
  const values = assignments(unit, directive);
  return values.slice(values.lastIndexOf("") + 1);
}

/** Whether a boolean of [Service] is on; a word that is no boolean is off. */
export function isOn(unit: UnitModel, directive: string): boolean {
  return booleanInForce(unit, directive) === true;
}

/** Whether a boolean of [Service] is written and says no. */
export function isRefused(unit: UnitModel, directive: string): boolean {
  return booleanInForce(unit, directive) === false;
}

function booleanInForce(unit: UnitModel, directive: string): boolean | undefined {
  const value = valueInForce(unit, directive);
  return value === undefined ? undefined : parsedBoolean(value);
}

/** The commands of one line of `Exec...=`; none of a line that systemd refuses, as nothing of it runs. */
export function execCommands(line: string): readonly ExecCommand[] {
  try {
    return decodedExecCommands(line);
  } catch (error) {
    if (error instanceof ExecCommandError) return [];
    throw error;
  }
}

/** `Type=` as systemd settles it when it is not written (systemd.service(5)). */
export function serviceType(unit: UnitModel): string {
  const written = valueInForce(unit, "Type");
  if (written !== undefined) return written;
  if (valueInForce(unit, "BusName") !== undefined) return "dbus";
  return valuesSinceReset(unit, "ExecStart").length > 0 ? "simple" : "oneshot";
}

/** A directive of [Service] as a finding shows it: `[Service] Restart=no`, or that it is not set. */
export function shown(directive: string, value: string | undefined): string {
  return value === undefined ? `[Service] ${directive}= is not set` : `[Service] ${directive}=${value}`;
}
