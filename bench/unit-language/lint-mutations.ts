// Lint against `systemd-analyze verify` of 247, 252 and 257 on assignments of shipped units after a slip of the keyboard: what
// the tool warns of must be told by lint, and what it passes must be no error without a known reason.
import fc from "fast-check";
import type { SandboxHost } from "../../sandbox/host.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { directiveOf } from "../../systemd/directives.ts";
import { lintUnitTexts } from "../../systemd/lints/lint-units.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";
import { hostCommandResults, writeHostFiles } from "./host-commands.ts";
import { compared, isScript, joined, type Measurement, onHosts, printedMeasurement } from "./measurement.ts";
import { shippedUnits } from "./shipped-units.ts";

/** One assignment of a shipped unit after a slip of the keyboard. */
export interface MutatedLine {
  /** Type of the unit, `service`. */
  readonly type: string;
  readonly section: string;
  /** `Key=value` as it is written. */
  readonly text: string;
}

/** The tool stops at the first bad value of these, so what stands behind it is not looked at. */
const fatal = new Set(
  "User Group SupplementaryGroups SocketUser SocketGroup RootDirectory RootImage DynamicUser WorkingDirectory".split(
    " ",
  ),
);
const bases: Readonly<Record<string, string>> = {
  service: "[Service]\nExecStart=/bin/true\n",
  socket: "[Socket]\nListenStream=7000\n",
  timer: "[Timer]\nOnCalendar=daily\n",
  path: "[Path]\nPathExists=/x\n",
};
const linesInUnit = 40;

/** Slips: a character lost, doubled, swapped, of the other case, or one too many; a word lost; another ending. */
const slip = fc.oneof(
  fc.record({ of: fc.constant("lost" as const), at: fc.nat(40) }),
  fc.record({ of: fc.constant("doubled" as const), at: fc.nat(40) }),
  fc.record({ of: fc.constant("swapped" as const), at: fc.nat(40) }),
  fc.record({ of: fc.constant("cased" as const), at: fc.nat(40) }),
  fc.record({
    of: fc.constant("added" as const),
    at: fc.nat(40),
    text: fc.constantFrom(..." ,;:=%\"'\\/~-+@#01xkK.".split(""), "%q", "--", " #x", "ms", "é"),
  }),
);

type Slip = typeof slip extends fc.Arbitrary<infer S> ? S : never;

function slipped(text: string, { of, at, ...more }: Slip): string {
  const index = text.length === 0 ? 0 : at % text.length;
  const [head, character, tail] = [text.slice(0, index), text.charAt(index), text.slice(index + 1)];
  if (of === "lost") return head + tail;
  if (of === "doubled") return head + character + character + tail;
  if (of === "swapped") return head + tail.charAt(0) + character + tail.slice(1);
  if (of === "cased")
    return head + (character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase()) + tail;
  return head + ("text" in more ? String(more.text) : "") + character + tail;
}

/** Random slips in assignments of shipped units. */
export function mutatedLines(
  texts: readonly (readonly [name: string, text: string])[],
  { seed, count }: { readonly seed: number; readonly count: number },
): MutatedLine[] {
  const known = new Map<string, { type: string; section: string; key: string; value: string }>();
  for (const [name, text] of texts) {
    const type = name.slice(name.lastIndexOf(".") + 1);
    if (bases[type] === undefined) continue;
    for (const { name: section, entries } of parseUnitFile(text).sections) {
      for (const { key, value } of entries) {
        const directive = directiveOf(section, key);
        if (directive === undefined || directive.kind === "command" || fatal.has(key) || value === "") continue;
        known.set(`${section}.${key}=${value}`, { type, section, key, value });
      }
    }
  }
  const all = [...known.values()].sort((a, b) =>
    `${a.section}${a.key}${a.value}` < `${b.section}${b.key}${b.value}` ? -1 : 1,
  );
  const draw = fc.record({ of: fc.constantFrom(...all), slip, onKey: fc.nat(9) });
  return fc
    .sample(draw, { seed, numRuns: count })
    .map(({ of: { type, section, key, value }, slip: how, onKey }) => ({
      type,
      section,
      text: onKey === 0 ? `${slipped(key, how)}=${value}` : `${key}=${slipped(value, how)}`,
    }))
    .filter(({ text }) => !/\\$|^[[#;]/.test(text));
}

/** How lint and `systemd-analyze verify` of a host judge the same lines. */
export async function mutationMeasurement(host: SandboxHost, lines: readonly MutatedLine[]): Promise<Measurement> {
  const systemd = systemdVersion[host.release];
  const units = Object.keys(bases).flatMap((type) =>
    chunks(lines.filter((line) => line.type === type)).map((some) => unitOf(type, some)),
  );
  const folder = "/run/oracle-mutations";
  await writeHostFiles(
    host,
    Object.fromEntries(
      units.flatMap(({ name, text }, index) => [
        [`${folder}/${index}/${name}`, text],
        ...(name === "a.service" ? [] : [[`${folder}/${index}/a.service`, bases.service ?? ""] as const]),
      ]),
    ),
  );
  const only = systemd >= 250 ? ["--recursive-errors=no"] : [];
  const commands = units.map(({ name }, index) => ({
    command: ["systemd-analyze", "verify", "--man=no", ...only, `${folder}/${index}/${name}`],
  }));
  const said = await hostCommandResults(host, commands);
  const cases = units.flatMap(({ name, text, places }, index) => {
    const theirs = new Map(
      [...(said[index]?.stderr ?? "").matchAll(/\/a\.\w+:(\d+): (.*)/g)].map((m) => [Number(m[1]), m[2]]),
    );
    const findings = lintUnitTexts([{ name, text }], { systemd }).filter(({ rule }) => rule !== "repeated-assignment");
    return [...places].map(([line, mutated]) => ({
      input: `[${mutated.section}] ${mutated.text}`,
      theirs: theirs.get(line),
      ours: findings.filter((finding) => finding.line === line && finding.severity !== "info"),
    }));
  });
  return joined([
    compared(
      "slips that verify warns of: lint tells them",
      systemd,
      cases.flatMap(({ input, ours, theirs }) =>
        theirs === undefined
          ? []
          : [{ input, ours: ours.length > 0 ? theirs : "nothing", theirs, ...(/%\w/.test(input) ? onHostOnly : {}) }],
      ),
    ),
    compared(
      "slips that verify passes: lint has no error",
      systemd,
      cases.flatMap(({ input, ours, theirs }) => {
        if (theirs !== undefined) return [];
        const errors = ours.filter(({ severity }) => severity === "error");
        const reason = errors.length > 0 ? silenceOf(input, errors[0]?.rule ?? "") : {};
        const said = errors.map(({ rule, message }) => `${rule}: ${message}`).join("; ");
        return [{ input, ours: said, theirs: "", ...reason }];
      }),
    ),
  ]);
}

const onHostOnly = { reason: "whether it is right depends on what a specifier stands for on the host" };

/** Why the tool passes what lint calls an error; nothing where that is not known, as the error may be a false one. */
function silenceOf(input: string, rule: string): { readonly reason?: string } {
  const [, section = "", directive = "", value = ""] = /^\[(\w+)\] ([^=]*)=(.*)$/s.exec(input) ?? [];
  if (rule !== "bad-value" && rule !== "inline-comment") return { reason: "verify does not look across directives" };
  if (section === "Install") return { reason: "verify does not look at [Install]" };
  if (section === "Unit" && /^(Condition|Assert)/.test(directive))
    return { reason: "verify does not look at conditions" };
  if (section === "Unit" && directiveOf(section, directive)?.kind === "unit-names")
    return { reason: "systemd from 252 on drops a bad name of a list without a word" };
  if (/^(Capability|Ambient)/.test(directive)) return { reason: "systemd drops an unknown capability without a word" };
  if (directive.endsWith("ExitStatus")) return { reason: "systemd drops a backslash" };
  if (rule === "inline-comment") return { reason: "verify knows no comment behind a value" };
  return value.includes("\\") ? { reason: "systemd drops a backslash" } : {};
}

function chunks(lines: readonly MutatedLine[]): MutatedLine[][] {
  return Array.from({ length: Math.ceil(lines.length / linesInUnit) }, (_, index) =>
    lines.slice(index * linesInUnit, (index + 1) * linesInUnit),
  );
}

function unitOf(type: string, lines: readonly MutatedLine[]) {
  const places = new Map<number, MutatedLine>();
  const text = [...(bases[type] ?? "").trimEnd().split("\n")];
  for (const line of lines) {
    text.push(`[${line.section}]`, line.text);
    places.set(text.length, line);
  }
  return { name: `a.${type}`, text: `${text.join("\n")}\n`, places };
}

if (isScript(import.meta.filename)) {
  await printedMeasurement(500, (draw) =>
    onHosts(["bullseye", "bookworm", "trixie"], async (hosts) => {
      const shipped = (await Promise.all(hosts.map(shippedUnits))).flatMap((units) => [...units]);
      const lines = mutatedLines(shipped, draw);
      const all: Measurement[] = [];
      for (const host of hosts) all.push(await mutationMeasurement(host, lines));
      return joined(all);
    }),
  );
}
