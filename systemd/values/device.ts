import { bytesProblem, parsedBytes } from "./bytes.ts";
import { integerProblem } from "./integer.ts";
import { beginsWithSpecifier, pathProblem } from "./path.ts";
import { timeSpanProblem } from "./time-span.ts";
import { received, type ValueCheck, wordsOf } from "./value-check.ts";

/** Why a value is no device with rights: a path below /dev, or `char-`/`block-` and a name, then of `r`, `w` and `m`. */
export const deviceAccessProblem: ValueCheck = (value) => {
  const words = wordsOf(value);
  if (typeof words === "string") return words;
  const [device = "", rights, ...rest] = value.replace(/^"([^"]*)"/, "$1").split(/[ \t]+/);
  const isDevice = /^(\/dev\/|\/run\/systemd\/inaccessible\/|char-|block-)/.test(device) || beginsWithSpecifier(device);
  if (!isDevice)
    return `${received(device)} is no device; write a path below /dev, or a class such as char-pts or block-loop`;
  if (rest.length === 0 && (rights === undefined || /^[rwm]+$/.test(rights))) return undefined;
  return `${received(value)} has bad rights; write r (read), w (write) and m (make), as in "/dev/fuse rw"`;
};

/** Why a value is no device and bytes per second, or infinity. */
export const deviceBytesProblem: ValueCheck = (value) => deviceAndProblem(value, amountProblem);

/** Why a value is no device and operations per second, which take the suffixes of sizes, or infinity. */
export const deviceOperationsProblem: ValueCheck = (value) => deviceAndProblem(value, amountProblem);

/** Why a value is no device and time span. */
export const deviceTimeSpanProblem: ValueCheck = (value) => deviceAndProblem(value, (text) => timeSpanProblem(text));

/** Why a value is no device and weight from 1 to 10000. */
export const deviceWeightProblem: ValueCheck = (value) =>
  deviceAndProblem(value, (weight) => integerProblem(weight, 1, 10000));

function amountProblem(amount: string): string | undefined {
  if (amount === "infinity") return undefined;
  return (
    bytesProblem(amount) ??
    (parsedBytes(amount) === 0 ? `${received(amount)} is refused; write more than 0, or infinity` : undefined)
  );
}

function deviceAndProblem(value: string, problemOf: (rest: string) => string | undefined): string | undefined {
  const words = wordsOf(value);
  if (typeof words === "string") return words;
  const [device = "", ...rest] = words;
  if (rest.length === 0) return `${received(value)} is only one word; write the device's path, a blank and the amount`;
  return pathProblem(device) ?? problemOf(rest.join(" "));
}
