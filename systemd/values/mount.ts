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

const partitions = [
  "root",
  "usr",
  "home",
  "srv",
  "esp",
  "xbootldr",
  "swap",
  "root-verity",
  "usr-verity",
  "root-verity-sig",
  "usr-verity-sig",
  "tmp",
  "var",
];
const formerPartitions = ["root-secondary", "root-other", "usr-secondary", "usr-other"];

/** Why a value is no list of mount options for the root partition, or of `partition:options`. */
export const imageOptionsProblem: ValueCheck = (value, _directive, systemd) =>
  firstWordProblem(value, (word) => {
    const parts = splitAtColons(word);
    return parts.filter((part) => part !== "").length > 2
      ? `${received(word)} has more than one colon; write partition:options, as in "root:ro"`
      : partitionsProblem(parts, systemd);
  });

/** Why a value is no list of `source:destination[:options]`; the source may have a leading `-`. */
export const mountImagesProblem: ValueCheck = (value, _directive, systemd) =>
  firstWordProblem(value, (word) => {
    const [source = "", destination, ...options] = splitAtColons(word);
    if (destination === undefined) {
      return beginsWithSpecifier(source)
        ? undefined
        : `${received(word)} has no destination; write the image and the place, as in "/var/lib/data.raw:/srv/data"`;
    }
    return firstOf([withoutDash(source), destination], pathProblem) ?? partitionsProblem(options, systemd);
  });

/** Why a value is no list of images, each with options after a colon; an image may have a leading `-`. */
export const extensionImagesProblem: ValueCheck = (value, _directive, systemd) =>
  firstWordProblem(value, (word) => {
    const [source = "", ...options] = splitAtColons(word);
    return pathProblem(withoutDash(source)) ?? partitionsProblem(options, systemd);
  });

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

/**
 * Why a list of partition, options, partition, options ... names an unknown partition. One element alone is options;
 * empty ones are skipped by systemd, so that nothing is said of a list that has some.
 */
function partitionsProblem(parts: readonly string[], systemd: number | undefined): string | undefined {
  if (parts.includes("") || (systemd !== undefined && systemd > newestSystemd)) return undefined;
  const named = parts.filter((_part, index) => index % 2 === 0 && index + 1 < parts.length);
  return firstOf(named, (name) => (formerPartitions.includes(name) ? undefined : choiceProblem(name, partitions)));
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
