import { workingStack } from "../stack/working-stack.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../unit-source.ts";
import { hostFiles } from "./host-files.ts";
import { folderDifferences, writeFolder } from "./rendered-folder.ts";

/** Options of `pulumi-systemd render`. */
export interface RenderOptions {
  readonly stack: string;
  readonly cwd: string;
  readonly configFile?: string;
  /** Folder to write to; without it the files are printed. */
  readonly out?: string;
  /** Write nothing: end with 1 when the folder is not what would be written. */
  readonly check?: boolean;
  readonly json?: boolean;
}

/**
 * Renders the exact files of every host of a stack, without an engine and without asking a host. The same program gives the
 * same files, so a team may commit them and let CI check that they are current.
 * @returns the exit status: 1 when `check` finds a difference
 * @throws UsageError when the program fails, a host is not wholly known, or the folder holds what `render` did not write
 */
export async function render(options: RenderOptions, terminal: Terminal): Promise<number> {
  const { stack, cwd, configFile, out, check = false } = options;
  if (check && out === undefined) throw new UsageError("--check needs --out FOLDER: the folder that is to be checked");
  const files = await renderedFiles({ stack, folder: cwd, configFile });
  if (out === undefined) {
    terminal.print(
      ...(options.json === true ? [JSON.stringify(Object.fromEntries(files), null, 2)] : shown(files, terminal)),
    );
    return 0;
  }
  const differences = check ? folderDifferences(out, files) : writeFolder(out, files);
  if (options.json === true) terminal.print(JSON.stringify({ folder: out, differences }, null, 2));
  else {
    const { strong, warning } = terminal.style;
    terminal.print(...differences.map(({ kind, path }) => `${warning(check ? kind : written[kind])} ${path}`));
    const verdict =
      differences.length === 0 ? "is current" : check ? "is not what the program says now" : "is current now";
    terminal.print(`${strong(out)} ${verdict}`);
  }
  return check && differences.length > 0 ? 1 : 0;
}

const written = { missing: "wrote", changed: "wrote", "left over": "removed" } as const;

/** Every file of every host of a stack, by its path: `web1/files/etc/systemd/system/api.service`. */
async function renderedFiles(options: { stack: string; folder: string; configFile: string | undefined }) {
  const { hosts } = await workingStack(options);
  return new Map(
    hosts.flatMap(({ name, bundle, unknown }) => {
      if (bundle === undefined) {
        throw new UsageError(`${name}: not all of it is known without an update: ${unknown.join(", ")}`);
      }
      return [...hostFiles(bundle)].map(([path, content]) => [`${name}/${path}`, content] as const);
    }),
  );
}

function shown(files: ReadonlyMap<string, string>, { style }: Terminal): string[] {
  return [...files].flatMap(([path, content], index) => [
    ...(index === 0 ? [] : [""]),
    style.strong(`==> ${path} <==`),
    ...content.replace(/\n$/, "").split("\n"),
  ]);
}
