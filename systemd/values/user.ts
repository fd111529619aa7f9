import { specifiersIn } from "../specifiers.ts";
import { firstWordProblem, received, type ValueCheck } from "./value-check.ts";

/**
 * Why a text is no user or group: a name without colon, slash and control characters, or a number; not 65535 and
 * 4294967295, which mean "no user". Quotes would be part of the name.
 */
export function userNameProblem(name: string): string | undefined {
  if (specifiersIn(name).length > 0) return undefined;
  const refused = `${received(name)} is not a user or group name`;
  if (/^["'].*["']$/.test(name)) return `${refused}: quotes are part of the value here; write it without them`;
  if (/^[0-9]+$/.test(name)) return numberProblem(name);
  if (name === "" || name === "." || name === ".." || /^-\d+$/.test(name))
    return `${refused}; write a name or a number`;
  const bad = /[:/\p{Cc}]/u.exec(name);
  return bad === null ? undefined : `${refused}: it holds ${JSON.stringify(bad[0])}`;
}

/** Why a value is no user or group. */
export const userProblem: ValueCheck = (value) => userNameProblem(value);

/** Why a value is no list of users or groups. */
export const usersProblem: ValueCheck = (value) => firstWordProblem(value, userNameProblem);

function numberProblem(digits: string): string | undefined {
  const refused = `${received(digits)} is not a user or group number`;
  if (digits.length > 1 && digits.startsWith("0")) return `${refused}; write it without leading zeros`;
  const number = Number(digits);
  if (number === 65535 || number >= 4294967295) return `${refused}; 65535 and 4294967295 mean no user`;
  return undefined;
}
