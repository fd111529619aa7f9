import { newestSystemd } from "../directives.ts";
import { choiceProblem } from "./choice.ts";
import { beginsWithSpecifier, pathProblem } from "./path.ts";
import { firstOf, firstWordProblem, received, type ValueCheck, versionProblem } from "./value-check.ts";

const bindOptionSince: Readonly<Record<string, number>> = {
  rbind: 0,
  norbind: 0,
  idmap: 254,
  noidmap: 254,
  rootidmap: 257,
};

/** Why a value is no list of `source[:destination[:options]]`; the source may have a leading `-`. */
export const bindPathsProblem: ValueCheck = (value, _directive, systemd) =>
  firstWordProblem(value, (word) => {
    const [source = "", destination, ...options] = splitAtColons(word);
    const paths = destination === undefined ? [withoutDash(source)] : [withoutDash(source), destination];
    return firstOf(paths, pathProblem) ?? bindOptionsProblem(options.join(":"), systemd);
  });

/** Why a value is no list of `path[:options]` to be covered by a tmpfs. */
export const tmpfsProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => pathProblem(splitAtColons(word)[0] ?? ""));

/** Why a value is no list of `source:destination[:options]`; the source may have a leading `-`. */
export const mountImagesProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => {
    const [source = "", destination] = splitAtColons(word);
    if (destination === undefined) {
      return beginsWithSpecifier(source)
        ? undefined
        : `${received(word)} has no destination; write the image and the place, as in "/var/lib/data.raw:/srv/data"`;
    }
    return firstOf([withoutDash(source), destination], pathProblem);
  });

/** Why a value is no list of images, each with options after a colon; an image may have a leading `-`. */
export const extensionImagesProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => pathProblem(withoutDash(splitAtColons(word)[0] ?? "")));

/** Why a value is no root hash: hexadecimal digits of 16 bytes or more, or a file with them. */
export const rootHashProblem: ValueCheck = (value) => {
  if (value.startsWith("/") || (/^[0-9a-fA-F]{32,}$/.test(value) && value.length % 2 === 0)) return undefined;
  return `${received(value)} is neither an absolute path nor at least 32 hexadecimal digits, two for each byte`;
};

/** Why a value is no signature of a root hash: `base64:` and data, or a file with them. */
export const rootHashSignatureProblem: ValueCheck = (value) => {
  if (value.startsWith("/")) return undefined;
  if (value.startsWith("base64:")) return base64TextProblem(value.slice("base64:".length));
  return `${received(value)} is neither an absolute path nor base64 data after "base64:"`;
};

/** Why a text is not base64 (RFC 4648, padded; blanks are allowed). Does not echo the text. */
export function base64TextProblem(text: string): string | undefined {
  const data = text.replace(/[ \t\n\r]/g, "");
  if (data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data)) return undefined;
  return "the data is not base64: letters, digits, + and /, filled up with = to a multiple of four characters";
}

/** The parts of a word between colons; `\:` is a colon of the text itself. */
function splitAtColons(word: string): string[] {
  return word.split(/(?<!\\):/).map((part) => part.replaceAll("\\:", ":"));
}

function withoutDash(path: string): string {
  return path.replace(/^-/, "");
}

function bindOptionsProblem(option: string, systemd: number | undefined): string | undefined {
  if (option === "" || (systemd !== undefined && systemd > newestSystemd)) return undefined;
  if (option.includes(",") && (systemd ?? newestSystemd) >= 254) return undefined;
  const known = Object.keys(bindOptionSince);
  return choiceProblem(option, known) ?? versionProblem(option, bindOptionSince[option], systemd);
}
