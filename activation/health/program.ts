import { readdirSync, readFileSync } from "node:fs";

/** From the source tree (`activation/health/`), from the joined program (`bin/program/`), and from the compiled tree (`bin/activation/health/`). */
const places = [
  "./pulumi_systemd_health/",
  "../../activation/health/pulumi_systemd_health/",
  "../../../activation/health/pulumi_systemd_health/",
];

const relativeImport = /^from \.(\w+) import (?:\([^)]*\)|[^\n]*)\n/gm;
const topLevelName = /^(?:(?:class|def) (\w+)|(\w+)(?:, (\w+))*(?:, (\w+))* = )/gm;
const futureImport = "from __future__ import annotations\n";

/** The module that starts the others. */
const launch = "launch";

let program: string | undefined;

/**
 * The text of the Python program that makes the checks of a host, in one file. It needs Python 3.8 or newer and nothing
 * but its standard library. For root it keeps itself compiled below `/run`.
 * @throws Error when two of its modules use the same name, or its sources are not there: a defect of this library
 */
export function healthProgram(): string {
  if (program === undefined) {
    const modules = sources();
    program = launchedProgram(joinedModules(modules), modules.get(launch) ?? "");
  }
  return program;
}

/** A program that is compiled once and not at each start: its text as data, and the module that runs that. */
function launchedProgram(text: string, launcher: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the check is for exactly these
  const foreign = /[^\x00-\x7f]|\0|\r|'''/.exec(text);
  if (foreign !== null) throw new Error(`the health program must be ASCII without ''', found ${foreign[0]}`);
  const head = `# Managed by pulumi-systemd: changes made here are lost at the next update.\n${futureImport}\nSOURCE = r'''`;
  // A traceback names the lines of the file itself.
  const above = head.split("\n").length - 1;
  return [
    `${head}${text}'''`,
    launcher.replace(`${futureImport}\n`, "").trim(),
    [
      'KEPT = f"/run/pulumi-systemd/health/{os.path.basename(__file__)[:-3]}/program.pyc"',
      `exec(program_code("\\n" * ${above} + SOURCE, __file__, KEPT))\n`,
    ].join("\n"),
  ].join("\n\n\n");
}

/**
 * Python modules of one package as one program: each after those that it imports from, the imports between them left
 * out. The module `__main__` comes last.
 * @param modules text of each module by its name
 * @throws Error when a name at the top of one module stands at the top of another as well
 */
export function joinedModules(modules: ReadonlyMap<string, string>): string {
  const owners = new Map<string, string>();
  const parts = inOrder(modules).map(([name, text]) => {
    for (const found of text.matchAll(topLevelName)) {
      for (const top of found.slice(1).filter((part) => part !== undefined)) {
        const owner = owners.get(top);
        if (owner !== undefined && owner !== name) throw new Error(`${top} stands in ${owner}.py and in ${name}.py`);
        owners.set(top, name);
      }
    }
    const body = text.replaceAll(relativeImport, "").replace(`${futureImport}\n`, "").trim();
    return `# ${name}.py\n${body.replaceAll(/\n{4,}/g, "\n\n\n")}\n`;
  });
  return `${futureImport}\n${parts.join("\n\n")}`;
}

function inOrder(modules: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const ordered = new Map<string, string>();
  const visit = (name: string) => {
    const text = modules.get(name);
    if (text === undefined) throw new Error(`the health program imports ${name}.py, which is not there`);
    if (ordered.has(name)) return;
    for (const [, imported = ""] of text.matchAll(relativeImport)) visit(imported);
    ordered.set(name, text);
  };
  visit("__main__");
  return [...ordered];
}

function sources(): ReadonlyMap<string, string> {
  for (const place of places) {
    const directory = new URL(place, import.meta.url);
    const names = pythonFiles(directory);
    if (names.length > 0) {
      return new Map(names.map((name) => [name.slice(0, -3), readFileSync(new URL(name, directory), "utf8")]));
    }
  }
  throw new Error("the sources of the health program are not there: the package is incomplete");
}

function pythonFiles(directory: URL): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(".py"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
