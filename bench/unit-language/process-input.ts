// Random argument vectors and values are written by the product's encoders, handed to real processes by real systemd, and
// compared with what the processes got: ExecStart=, EnvironmentFile= and Environment=.
import fc from "fast-check";
import type { SandboxHost } from "../../sandbox/host.ts";
import { debianReleases, systemdVersion } from "../../sandbox/release.ts";
import { encodedEnvironment } from "../../systemd/environment.ts";
import { encodedEnvironmentFile } from "../../systemd/environment-file.ts";
import { encodedExecCommand } from "../../systemd/exec-command.ts";
import { printUnitFile, type UnitEntry } from "../../systemd/unit-file.ts";
import { writableText } from "../../test/systemd/writable-text.ts";
import { hostPython, writeHostFiles } from "./host-commands.ts";
import { compared, type Draw, isScript, joined, type Measurement, onHosts, printedMeasurement } from "./measurement.ts";

const folder = "/run/oracle";
const perUnit = 50;

/** Pieces with a meaning to systemd, a shell, or a line-based file. */
const pieces = [
  ..." \t\n\r\\\"'`$%;#=:@-+!|&*?~{}[]<>/,.",
  ..."aZ09ä€😀\u0001\u001b\u007f\u00a0\u2028\ufeff",
  ...[
    "$HOME",
    "${HOME}",
    "$$",
    "%%",
    "%h",
    "%n",
    "%q",
    "\\n",
    "\\x41",
    "\\u00e4",
    "\\101",
    "\\s",
    " ;",
    "\\;",
    "//",
    "EOF",
  ],
  ...["-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n", '{"key": "it\'s"}', "export ", "A=b", "  "],
];

const text = fc.oneof(
  { weight: 8, arbitrary: writableText(pieces) },
  { weight: 1, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 4000 }).map((length) => "long \\ $x ".repeat(length / 10)) },
);

/** Writes what each process got as one JSON line: arguments or variables, as hexadecimal bytes. */
const argumentsProgram = `
import json, os, sys
with open(sys.argv[1], "a") as out:
    out.write(json.dumps([os.fsencode(argument).hex() for argument in sys.argv[2:]]) + "\\n")
`;
const variablesProgram = `
import json, os, sys
got = {name.decode(): value.hex() for name, value in os.environb.items() if name.startswith(b"V_")}
with open(sys.argv[1], "w") as out:
    json.dump(got, out)
`;

/** Compares what processes of a host got with what they should get. */
export async function processInputMeasurement(host: SandboxHost, draw: Draw): Promise<Measurement> {
  const systemd = systemdVersion[host.release];
  const sampled = { numRuns: draw.count, seed: draw.seed };
  const vectors = chunks(fc.sample(fc.array(text, { maxLength: 6 }), sampled));
  const values = chunks(fc.sample(text, sampled));
  const files: Record<string, string> = {
    [`${folder}/arguments.py`]: argumentsProgram,
    [`${folder}/variables.py`]: variablesProgram,
  };
  const units: string[] = [];
  const addUnit = (name: string, entries: readonly UnitEntry[]): void => {
    units.push(name);
    const service = [{ key: "Type", value: "oneshot" }, { key: "TimeoutStartSec", value: "300" }, ...entries];
    files[`/run/systemd/system/${name}`] = printUnitFile({ sections: [{ name: "Service", entries: service }] });
  };
  const python = ["/usr/bin/python3", "-IS"];

  vectors.forEach((chunk, index) => {
    const program = [...python, `${folder}/arguments.py`, `${folder}/arguments-${index}`];
    const commands = chunk.map((vector) => encodedExecCommand([...program, ...vector]));
    addUnit(
      `oracle-arguments-${index}.service`,
      commands.map((value) => ({ key: "ExecStart", value })),
    );
  });
  values.forEach((chunk, index) => {
    const variables = Object.fromEntries(chunk.map((value, place) => [`V_${place}`, value]));
    const program = [...python, `${folder}/variables.py`];
    files[`${folder}/secret-${index}`] = encodedEnvironmentFile(variables);
    addUnit(`oracle-file-${index}.service`, [
      { key: "EnvironmentFile", value: `${folder}/secret-${index}` },
      { key: "ExecStart", value: encodedExecCommand([...program, `${folder}/file-${index}`]) },
    ]);
    addUnit(`oracle-lines-${index}.service`, [
      ...encodedEnvironment(variables).map((value) => ({ key: "Environment", value })),
      { key: "ExecStart", value: encodedExecCommand([...program, `${folder}/lines-${index}`]) },
    ]);
  });
  await writeHostFiles(host, files);
  await host.output("systemctl daemon-reload");
  await host.run(`systemctl start ${units.join(" ")}`, { timeoutSec: 900 });
  const got = await hostPython<Record<string, string>>(host, collector, folder);

  const received = {
    arguments: vectors.flatMap((chunk, index) => {
      const lines = (got[`arguments-${index}`] ?? "").split("\n").filter((line) => line !== "");
      return chunk.map((vector, place) => ({
        input: JSON.stringify(vector),
        ours: vector,
        theirs: lines[place] === undefined ? null : (JSON.parse(lines[place]) as string[]).map(textOfHex),
      }));
    }),
    file: variablesGot("file"),
    lines: variablesGot("lines"),
  };
  return joined([
    compared("ExecStart= arguments", systemd, received.arguments),
    compared("EnvironmentFile= values", systemd, received.file),
    compared("Environment= values", systemd, received.lines),
  ]);

  function variablesGot(kind: "file" | "lines") {
    return values.flatMap((chunk, index) => {
      const variables = JSON.parse(got[`${kind}-${index}`] ?? "{}") as Record<string, string>;
      return chunk.map((value, place) => {
        const hex = variables[`V_${place}`];
        return { input: JSON.stringify(value), ours: value, theirs: hex === undefined ? null : textOfHex(hex) };
      });
    });
  }
}

const collector = `
import glob, json, os, sys
folder = json.load(sys.stdin)
json.dump({os.path.basename(path): open(path).read() for path in glob.glob(folder + "/*-*")
    if not os.path.basename(path).startswith("secret-")}, sys.stdout)
`;

/** Bytes that are no UTF-8 stay visible as their hexadecimal form. */
function textOfHex(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  const decoded = bytes.toString("utf8");
  return Buffer.from(decoded, "utf8").equals(bytes) ? decoded : `bytes ${hex}`;
}

function chunks<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / perUnit) }, (_, index) =>
    items.slice(index * perUnit, (index + 1) * perUnit),
  );
}

if (isScript(import.meta.filename)) {
  await printedMeasurement(1000, (draw) =>
    onHosts(debianReleases, async (hosts) =>
      joined(await Promise.all(hosts.map((host) => processInputMeasurement(host, draw)))),
    ),
  );
}
