import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Bundle } from "../../activation/bundle.ts";
import { stackHosts } from "../../cli/stack/stack-hosts.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { connectionOf, type StackConfig, testStack } from "../../test/hosts/stack.ts";

/** How much is deployed. */
export interface Size {
  readonly hosts: number;
  /** Services on each host. */
  readonly services: number;
}

/** What every contender does in turn. `change`: one directive of one service of each host is another one. */
export const operations = ["deploy", "no-op", "change", "destroy"] as const;
export type Operation = (typeof operations)[number];

/** The state that an operation leads to: that before or after the change. */
export type State = 1 | 2;

/** The variable of the one service whose directive changes. */
export const stateVariable = "BENCH_STATE";

/** `1x20` of a size. */
export function sizeText({ hosts, services }: Size): string {
  return `${hosts}x${services}`;
}

/** @throws Error when the text is no size */
export function parsedSize(text: string): Size {
  const [, hosts, services] = /^([1-9]\d?)x([1-9]\d?)$/.exec(text) ?? [];
  if (services === undefined) throw new Error(`--sizes ${text}: write HOSTSxSERVICES, such as 1x20`);
  return { hosts: Number(hosts), services: Number(services) };
}

/** Settings of this product's alone: no other contender knows them, and no file on the host differs by them. */
export interface ServiceSettings {
  readonly settleSec?: number;
}

/**
 * The stack's config of a size: each service has an account, a secret file and a hardened unit of its own.
 * @param hosts those that it is deployed to
 */
export function stackConfig(
  { services }: Size,
  state: State,
  hosts: readonly SandboxHost[],
  more: ServiceSettings = {},
): StackConfig {
  const names = Array.from({ length: services }, (_, index) => `bench${String(index + 1).padStart(2, "0")}`);
  return {
    hosts: Object.fromEntries(hosts.map((host, index) => [hostName(index), { connection: connectionOf(host) }])),
    services: Object.fromEntries(
      names.map((name, index) => [
        name,
        {
          description: `Service ${name} of the benchmark`,
          exec: ["/usr/bin/sleep", "infinity"],
          user: name,
          createUser: true,
          environment: { [stateVariable]: String(index === 0 ? state : 1) },
          secretEnvironment: { API_KEY: `key-of-${name}` },
          service: { MemoryMax: "64M" },
          ...more,
        },
      ]),
    ),
  };
}

/** The name of a host in every program. */
export function hostName(index: number): string {
  return `host${index + 1}`;
}

/**
 * What each host must become, by state: what this product's own program makes of the config. All others get the same units
 * and files, byte for byte.
 */
export async function bundles(size: Size, hosts: readonly SandboxHost[], program: string) {
  const stack = await testStack("bench", program);
  try {
    const of = async (state: State): Promise<Bundle> => {
      await stack.configure(stackConfig(size, state, hosts));
      const configFile = join(stack.folder, "Pulumi.bench.yaml");
      const { hosts: found, errors } = await stackHosts({ folder: program, stack: "bench", configFile });
      const bundle = found[0]?.bundle;
      if (bundle === undefined) throw new Error(`the program gives no bundle: ${JSON.stringify(errors)}`);
      return bundle;
    };
    return { 1: await of(1), 2: await of(2) } as const;
  } finally {
    stack.remove();
  }
}

export type Bundles = Awaited<ReturnType<typeof bundles>>;

/** A bundle in the form that other tools read: plain lists, and each content as a file on this machine. */
export interface PlainState {
  /** Directories of our own that the files lie in. */
  readonly directories: readonly string[];
  readonly users: readonly { readonly name: string; readonly home: string }[];
  readonly files: readonly PlainFile[];
  readonly units: readonly (PlainFile & { readonly name: string })[];
}

/** One file of a host. */
export interface PlainFile {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
  /** A file on this machine with that content. */
  readonly source: string;
}

/** Writes a bundle's contents below `folder`. */
export function plainState(bundle: Bundle, folder: string): PlainState {
  mkdirSync(folder, { recursive: true });
  const written = (path: string, mode: string, content: string): PlainFile => {
    const source = join(folder, path.replaceAll("/", "_"));
    writeFileSync(source, content, { mode: 0o600 });
    return { path, mode, content, source };
  };
  return {
    directories: [...new Set(bundle.files.map(({ path }) => dirname(path)))].sort(),
    users: bundle.users.map(({ name, home }) => ({ name, home })),
    files: bundle.files.map(({ path, mode, content }) => written(path, mode, content)),
    units: bundle.units.map(({ name, path, content }) => ({ name, ...written(path, "0644", content) })),
  };
}
