// Joins activation/host/pulumi_systemd_host/*.py, and what they import of activation/health/pulumi_systemd_health, into the
// one program text: `node build/host-program.mjs` writes bin/host/pulumi-systemd-host.py, and beside it the same in the form
// in which a Host sends it to its machine. Same input, same bytes, on every machine: for that the compression is fflate's,
// since Node's own gives other bytes on other processors, and each would be a change of every host.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { strToU8, zlibSync } from "fflate";

const PACKAGE = "pulumi_systemd_host";
const HEALTH = "pulumi_systemd_health";
const root = join(dirname(fileURLToPath(import.meta.url)), "..");

// Must parse on Python 2 and 3.0: it is what tells an old or incomplete Python apart from a fault of ours.
const head = (
  modules,
) => `# pulumi-systemd's host program, joined from activation/host. Do not edit: change the modules there.
import sys


def _refuse(text):
    sys.stdout.write("pulumi-systemd: " + text + "\\n")
    sys.stdout.flush()
    sys.exit(10 if "--under-sudo" in sys.argv else 1)


if sys.version_info < (3, 8):
    _refuse("this host's python3 is %d.%d; 3.8 or newer is needed" % tuple(sys.version_info[:2]))


def _missing():
    try:
        from importlib.util import find_spec
    except ImportError:
        return ["importlib"]
    needed = "${modules.join(" ")}"
    return [name for name in needed.split() if name not in sys.modules and find_spec(name) is None]


_absent = _missing()
if _absent:
    _refuse(
        "this host's python3 lacks parts of the standard library (" + ", ".join(_absent) + "): "
        "only a minimal one is installed; apt install python3"
    )

SOURCES = {}
`;

const tail = `

class _Joined(object):
    """Finds the modules above. A traceback names them, and shows their lines."""

    packages = ("${PACKAGE}", "${HEALTH}")

    def __init__(self, spec):
        self.spec = spec

    def find_spec(self, name, path=None, target=None):
        if name in self.packages:
            return self.spec(name, self, is_package=True)
        if name in SOURCES:
            return self.spec(name, self)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        import linecache

        name = module.__name__
        if name in self.packages:
            name += ".__init__"
        source = SOURCES[name]
        file = name.replace(".", "/") + ".py"
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)


def _run():
    from importlib.machinery import ModuleSpec

    sys.meta_path.insert(0, _Joined(ModuleSpec))
    program = globals().get("p")
    if program is None:
        with open(__file__, "rb") as own:
            program = own.read()
    from ${PACKAGE}.__main__ import main

    sys.exit(main(sys.argv[1:], program))


_run()
`;

/** Top-level modules of the standard library that `text` imports. */
function imports(text) {
  const found = [];
  for (const match of text.matchAll(/^\s*(?:import ([\w., ]+)|from (\w[\w.]*) import)/gm)) {
    for (const name of (match[1] ?? match[2]).split(",")) {
      const top = name.trim().split(/[. ]/)[0];
      if (![PACKAGE, HEALTH, "__future__"].includes(top)) found.push(top);
    }
  }
  return found;
}

/** Modules of a package by name, each with its text. */
function modulesOf(directory) {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(".py"))
    .sort();
  return new Map(names.map((name) => [name.slice(0, -3), readFileSync(join(directory, name), "utf8")]));
}

/** Of the health program's modules those that `texts` import, and those that they need in turn. */
function healthModules(texts) {
  const all = modulesOf(join(root, "activation", "health", HEALTH));
  const wanted = new Set(["__init__"]);
  const pattern = new RegExp(`^from ${HEALTH}\\.(\\w+) import`, "gm");
  const names = texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name));
  while (names.length > 0) {
    const name = names.pop();
    if (wanted.has(name)) continue;
    if (!all.has(name)) throw new Error(`the host program imports ${HEALTH}.${name}, which is not there`);
    wanted.add(name);
    names.push(...[...all.get(name).matchAll(/^from \.(\w+) import/gm)].map(([, further]) => further));
  }
  return [...all].filter(([name]) => wanted.has(name));
}

/** The joined program. Throws for a module that cannot be embedded as it is. */
export function joinedProgram(directory = join(root, "activation", "host", PACKAGE)) {
  const own = modulesOf(directory);
  const modules = [
    ...[...own].map(([name, text]) => [`${PACKAGE}.${name}`, text]),
    ...healthModules([...own.values()]).map(([name, text]) => [`${HEALTH}.${name}`, text]),
  ];
  const needed = new Set();
  let body = "";
  for (const [name, text] of modules) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the check is for exactly these
    const foreign = /[^\x00-\x7f]|\0|\r|'''/.exec(text);
    if (foreign) {
      const line = text.slice(0, foreign.index).split("\n").length;
      throw new Error(`${name}:${line}: must be ASCII without ''' to be embedded, found ${JSON.stringify(foreign[0])}`);
    }
    if (!text.endsWith("\n")) throw new Error(`${name}: must end with a newline to be embedded`);
    for (const module of imports(text)) needed.add(module);
    body += `\nSOURCES["${name}"] = r'''${text}'''\n`;
  }
  return head([...needed].sort()) + body + tail;
}

/** A program as it travels and is kept in a stack's state: zlib, then base64. The host unpacks it. */
export function packedProgram(text) {
  return Buffer.from(zlibSync(strToU8(text), { level: 9, mem: 12 })).toString("base64");
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(root, "bin", "host");
  mkdirSync(folder, { recursive: true });
  const program = joinedProgram();
  for (const [name, text] of [
    ["pulumi-systemd-host.py", program],
    ["pulumi-systemd-host.packed", packedProgram(program)],
  ]) {
    // Another command may be reading it.
    const draft = join(folder, `${name}.${process.pid}`);
    writeFileSync(draft, text);
    renameSync(draft, join(folder, name));
    console.log(`wrote bin/host/${name}`);
  }
}
