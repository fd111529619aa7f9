import { DEFAULT_SCHEMA, load, Type } from "js-yaml";

/**
 * YAML as Pulumi reads it, with yaml.v3 of Go: numbers of YAML 1.1 as well (`0660` is octal, `1_000` a thousand), merge keys,
 * and times as Go prints them.
 * @throws YAMLException naming the file and the place of the mistake
 */
export function pulumiYaml(text: string, filename: string): unknown {
  return load(text, { filename, schema });
}

const integer = /^[-+]?(0x[0-9a-f]+|0b[01]+|0o?[0-7]+|0|[1-9][0-9]*)$/i;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?$/i;

/** A text of digits without the `_` between them; undefined where yaml.v3 looks for no number. */
function digits(text: string | null): string | undefined {
  return text === null || text.startsWith("_") || /^\..*_/.test(text) ? undefined : text.replaceAll("_", "");
}

function integerOf(text: string): number {
  const [, sign = "", base = "", rest = ""] = /^([-+]?)(0(?=.)[xbo]?)?(.*)$/i.exec(text) ?? [];
  const radix = base === "" ? rest : `${base.length === 1 ? "0o" : base.toLowerCase()}${rest}`;
  return sign === "-" ? -Number(radix) : Number(radix);
}

const time =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt](\d\d?):(\d\d?):(\d\d?)(\.\d+)?(Z|[-+]\d\d:\d\d)| (\d\d?):(\d\d?):(\d\d?)(\.\d+)?)?$/;

/** `2026-01-02 00:00:00 +0000 UTC`; undefined for what is no time, such as the 30th of February. */
function goTime(text: string | null): string | undefined {
  const parts = time.exec(text ?? "");
  if (parts === null) return undefined;
  const [year = "", ...others] = parts.slice(1, 4);
  const clock = parts[8] === undefined ? parts.slice(9, 12) : parts.slice(4, 7);
  const [month, day, hour, minute, second] = [...others, ...clock].map((part = "0") => part.padStart(2, "0"));
  const shown = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const read = new Date(`${shown}Z`);
  if (Number.isNaN(read.getTime()) || !read.toISOString().startsWith(shown)) return undefined;
  const fraction = (parts[7] ?? parts[12] ?? "").replace(/\.?0+$/, "");
  const zone = parts[8]?.replace(":", "") ?? "Z";
  return `${shown.replace("T", " ")}${fraction} ${zone === "Z" ? "+0000 UTC" : `${zone} ${zone}`}`;
}

const scalar = { kind: "scalar" } as const;
const schema = DEFAULT_SCHEMA.extend({
  implicit: [
    new Type("tag:yaml.org,2002:int", {
      ...scalar,
      resolve: (text: string | null) => integer.test(digits(text) ?? ""),
      construct: (text: string) => integerOf(digits(text) ?? ""),
    }),
    new Type("tag:yaml.org,2002:float", {
      ...scalar,
      resolve: (text: string | null) => float.test(digits(text) ?? "") && Number.isFinite(Number(digits(text))),
      construct: (text: string) => Number(digits(text)),
    }),
    new Type("tag:yaml.org,2002:timestamp", {
      ...scalar,
      resolve: (text: string | null) => goTime(text) !== undefined,
      construct: goTime,
    }),
  ],
});
