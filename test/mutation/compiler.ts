import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { Mutant } from "./report.ts";

/**
 * The changes that the compiler refuses in their own file: whoever makes such a mistake is told without any test.
 * @param root folder of the project, with its tsconfig.json
 * @throws Error where a file does not compile before it is changed
 */
export function refusedByCompiler(root: string, mutants: readonly Mutant[]): ReadonlySet<Mutant> {
  const names = [...new Set(mutants.map(({ file }) => file))];
  const changed = new Map<string, { readonly text: string; readonly version: string }>();
  const service = languageService(
    root,
    names.map((name) => join(root, name)),
    changed,
  );
  const problems = (path: string) => [
    ...service.getSyntacticDiagnostics(path),
    ...service.getSemanticDiagnostics(path),
  ];
  const refused = new Set<Mutant>();
  for (const name of names) {
    const path = join(root, name);
    const [first] = problems(path);
    if (first !== undefined) throw new Error(`${name}: ${ts.flattenDiagnosticMessageText(first.messageText, " ")}`);
    const text = readFileSync(path, "utf8");
    for (const [index, mutant] of mutants.filter(({ file }) => file === name).entries()) {
      const { offset, from, to } = mutant;
      const mutated = `${text.slice(0, offset)}${to}${text.slice(offset + from.length)}`;
      changed.set(path, { text: mutated, version: String(index + 1) });
      if (problems(path).length > 0) refused.add(mutant);
    }
    changed.delete(path);
  }
  return refused;
}

function languageService(
  root: string,
  files: readonly string[],
  changed: ReadonlyMap<string, { readonly text: string; readonly version: string }>,
): ts.LanguageService {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...files],
    getScriptVersion: (path) => changed.get(path)?.version ?? "0",
    getScriptSnapshot: (path) => {
      const text = changed.get(path)?.text ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
}
