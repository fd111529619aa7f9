import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import type { Bundle } from "../../activation/bundle.ts";
import { bundleOfFiles } from "../render/host-files.ts";
import { projectFile } from "../stack/project-file.ts";
import type { StackHosts } from "../stack/stack-hosts.ts";
import { workingStack } from "../stack/working-stack.ts";
import { UsageError } from "../unit-source.ts";
import type { AcceptedScores } from "./exposure-baseline.ts";
import type { HostVerdict } from "./policy-verdicts.ts";

/** What a stack is compared with. */
export interface ReviewBase {
  /** As it was named. */
  readonly name: string;
  readonly bundles: ReadonlyMap<string, Bundle>;
  /** The program's own description, where it was run. */
  readonly stack: StackHosts | undefined;
  /** What the policies say of it; undefined where it is not known. */
  readonly judged: JudgedStack | undefined;
  /** What a reader must know about it. */
  readonly notes: readonly string[];
}

/** What the policies say of a stack, and what its baseline accepts. */
export interface JudgedStack {
  readonly verdicts: readonly HostVerdict[];
  readonly accepted: AcceptedScores;
}

/** Asks the policies. @param fileAt gives the path of a file of the repository at the stack's revision */
export type Judge = (stack: StackHosts, fileAt: (path: string) => string) => JudgedStack;

/** Where a stack's program and config are. */
export interface ReviewedProgram {
  readonly folder: string;
  readonly stack: string;
  readonly configFile: string | undefined;
}

/**
 * What the hosts of a stack were to become at a base: a folder or a JSON file that `render` wrote, else a revision of git.
 * @throws UsageError when it is neither, or the program at that revision fails
 */
export function reviewBase(name: string, program: ReviewedProgram, judge: Judge): Promise<ReviewBase> {
  if (!existsSync(name)) return revisionBase(name, program, judge);
  return Promise.resolve(renderedBase(name));
}

function renderedBase(name: string): ReviewBase {
  const files = statSync(name).isDirectory() ? folderFiles(name) : jsonFiles(name);
  const hosts = [...files.keys()].flatMap((path) => /^([^/]+)\/host\.json$/.exec(path)?.[1] ?? []);
  if (hosts.length === 0) throw new UsageError(`${name} was not written by \`render\`: no host.json is in it`);
  const ownFiles = (host: string) =>
    new Map(
      [...files].flatMap(([path, content]) =>
        path.startsWith(`${host}/`) ? [[path.slice(host.length + 1), content] as const] : [],
      ),
    );
  return {
    name,
    bundles: new Map(hosts.map((host) => [host, bundleOfFiles(ownFiles(host), `${name}, host ${host}`)])),
    stack: undefined,
    judged: undefined,
    notes: ["The base was rendered without secrets, so a secret that was set anew does not show."],
  };
}

function folderFiles(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path, "utf8")]),
  );
}

function jsonFiles(file: string): Map<string, string> {
  try {
    return new Map(Object.entries(z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, "utf8")))));
  } catch {
    throw new UsageError(`${file} is not what \`render --json\` prints`);
  }
}

async function revisionBase(revision: string, program: ReviewedProgram, judge: Judge): Promise<ReviewBase> {
  const top = git(
    program.folder,
    ["rev-parse", "--show-toplevel"],
    "is in no git repository; give a folder that `render` wrote as --base",
  );
  const commit = git(
    top,
    ["rev-parse", "--verify", "--quiet", `${revision}^{commit}`],
    `has no revision ${revision}; fetch it, or give a folder that \`render\` wrote as --base`,
  );
  const checkout = mkdtempSync(join(tmpdir(), "pulumi-systemd-review-"));
  try {
    git(top, ["worktree", "add", "--quiet", "--detach", "--force", checkout, commit], "gives no second checkout");
    linkInstalled(top, checkout);
    const project = projectFile(program.folder);
    const folder = join(
      checkout,
      relative(git(project.folder, ["rev-parse", "--show-toplevel"], "is in no git repository"), project.folder),
    );
    const none: ReviewBase = {
      name: revision,
      bundles: new Map(),
      stack: undefined,
      judged: { verdicts: [], accepted: {} },
      notes: [`At ${revision} there was no such stack: everything is new.`],
    };
    if (!existsSync(join(folder, "Pulumi.yaml"))) return none;
    const at = (path: string) => fileAt(path, realpathSync(top), checkout);
    const configFile = program.configFile === undefined ? undefined : at(resolve(program.configFile));
    if (!existsSync(configFile ?? join(folder, `Pulumi.${program.stack.split("/").at(-1)}.yaml`))) return none;
    const stack = await workingStack({ folder, stack: program.stack, configFile, secretMarks: true });
    const unknown = stack.hosts.filter(({ bundle }) => bundle === undefined).map(({ name }) => name);
    return {
      name: revision,
      bundles: new Map(stack.hosts.flatMap(({ name, bundle }) => (bundle === undefined ? [] : [[name, bundle]]))),
      stack,
      judged: judge(stack, at),
      notes: unknown.length > 0 ? [`At ${revision} not all was known of ${unknown.join(", ")}: shown as new.`] : [],
    };
  } finally {
    git(top, ["worktree", "remove", "--force", checkout], "keeps a second checkout");
    rmSync(checkout, { recursive: true, force: true });
  }
}

/** Where a file of the repository is in the checkout; a file elsewhere is the same at all revisions. */
function fileAt(path: string, top: string, checkout: string): string {
  const folder = dirname(path);
  const inside = relative(top, existsSync(folder) ? join(realpathSync(folder), basename(path)) : path);
  return isAbsolute(inside) || inside.startsWith("..") ? path : join(checkout, inside);
}

/** What is installed beside the sources and not in git, such as node_modules, serves both revisions. */
function linkInstalled(top: string, checkout: string): void {
  const listed = git(
    top,
    ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory"],
    "cannot list its files",
  );
  for (const name of listed.split("\n").map((line) => line.replace(/\/$/, ""))) {
    const isInstalled = name !== "" && statSync(join(top, name), { throwIfNoEntry: false })?.isDirectory() === true;
    const hasPlace = existsSync(join(checkout, dirname(name))) && !existsSync(join(checkout, name));
    if (isInstalled && hasPlace) symlinkSync(join(top, name), join(checkout, name));
  }
}

function git(folder: string, args: readonly string[], problem: string): string {
  try {
    return execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new UsageError("git is not installed; give a folder that `render` wrote as --base");
    throw new UsageError(`${folder} ${problem}`);
  }
}
