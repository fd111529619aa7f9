import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const top = join(import.meta.dirname, "..", "..");

/** A fenced block of code in a page of ours. */
export interface Snippet {
  /** `docs/health.md:8`: where its first line is. */
  readonly place: string;
  /** The page: `docs/health.md`. */
  readonly page: string;
  /** Its text, without the indentation of a list that it stands in. */
  readonly code: string;
}

/** Every block of these languages in the README, in `docs/`, and in the READMEs of the examples. */
export function snippets(...languages: readonly string[]): Snippet[] {
  const pages = ["README.md", ...globSync(["docs/*.md", "examples/**/README.md"], { cwd: top }).sort()];
  return pages.flatMap((page) => {
    const text = readFileSync(join(top, page), "utf8");
    return [...text.matchAll(/^( *)```(\S*)[^\n]*\n(.*?)^ *```$/gms)]
      .filter(([, , language = ""]) => languages.includes(language))
      .map(({ 0: block, 1: indentation = "", 3: code = "", index }) => ({
        place: `${page}:${text.slice(0, index + block.indexOf("\n")).split("\n").length + 1}`,
        page,
        code: code.replaceAll(new RegExp(`^${indentation}`, "gm"), ""),
      }));
  });
}

/**
 * A TypeScript snippet as a module beside the sources, in a folder of its own below `bin/`: with the components imported, and
 * with what stands elsewhere in the reader's program. What it makes is in its `outputs`.
 */
export function moduleOf({ code }: Snippet): string {
  return `import type * as pulumi from "@pulumi/pulumi";
import * as components from "../../components/index.ts";

export const outputs: pulumi.Output<unknown>[] = [];
class Host extends components.Host {
  constructor(...args: ConstructorParameters<typeof components.Host>) {
    super(...args);
    outputs.push(this.receipt);
  }
}
class PythonService extends components.PythonService {
  constructor(...args: ConstructorParameters<typeof components.PythonService>) {
    super(...args);
    outputs.push(this.definition);
  }
}
const { SandboxProfile } = components;
const [host, privateKey, hostKey] = ["192.0.2.1", "hush-hush", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}"] as const;
const connection = { host, privateKey, hostKey };
const api = new PythonService("api", { source: "./app", exec: ["python", "-m", "orders"] });
{
${code}}
`;
}
