import { directiveNames } from "../directive-names.generated.ts";
import { didYouMean } from "../nearest.ts";
import { parsedInteger } from "./integer.ts";
import { firstWordProblem, received, type ValueCheck, versionProblem } from "./value-check.ts";

const { signals, errors, exitStatuses } = directiveNames;

/** Exit status names that are younger than systemd 247. */
const exitStatusSince: Readonly<Record<string, number>> = { KSM: 254 };

/** Whether a text is a signal of Linux: `SIGTERM`, `TERM`, a number from 1 to 64, `RTMIN+3`, `RTMAX-1`. */
export function isSignal(text: string): boolean {
  const name = text.replace(/^SIG/, "");
  if (signals.includes(name)) return true;
  const realTime = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime !== null) {
    const [, base, sign, offset = "0"] = realTime;
    return Number(offset) <= 30 && (sign === undefined || sign === (base === "RTMIN" ? "+" : "-"));
  }
  const number = name === text ? parsedInteger(text) : undefined;
  return number !== undefined && number >= 1n && number <= 64n;
}

/** Why a value is no signal. */
export const signalProblem: ValueCheck = (value) => {
  if (isSignal(value)) return undefined;
  return `${received(value)} is not a signal; write e.g. SIGTERM${didYouMean(prefixed(value), signals.map(prefixed))}`;
};

/** Why a value is no list of exit statuses (0 to 255), their names (`TEMPFAIL`, without EX_) and signals. */
export const exitStatusesProblem: ValueCheck = (value, _directive, systemd) =>
  firstWordProblem(value, (word) => {
    if (exitStatuses.includes(word)) return versionProblem(word, exitStatusSince[word], systemd);
    const number = parsedInteger(word);
    if (isSignal(word) || (number !== undefined && number >= 0n && number <= 255n)) return undefined;
    const nearest = didYouMean(word.replace(/^EX(IT)?_/, ""), [...exitStatuses, ...signals.map(prefixed)]);
    return `${received(word)} is neither an exit status from 0 to 255, nor the name of one, nor a signal${nearest}`;
  });

/** Why a text is no error name (`EPERM`, in any case) and no number from 1 to 4095. */
export function errorNumberProblem(text: string): string | undefined {
  if (errors.includes(text.toUpperCase())) return undefined;
  const number = parsedInteger(text);
  if (number !== undefined && number >= 1n && number <= 4095n) return undefined;
  return `${received(text)} is neither an error name such as EPERM nor a number from 1 to 4095${didYouMean(text, errors)}`;
}

/** Why a value is no error for refused system calls: a name, a number, or kill. */
export const errnoProblem: ValueCheck = (value) => (value === "kill" ? undefined : errorNumberProblem(value));

function prefixed(signal: string): string {
  return signal.startsWith("SIG") ? signal : `SIG${signal}`;
}
