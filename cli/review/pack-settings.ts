import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { UsageError } from "../unit-source.ts";

/** How the policies of a review are set. */
export interface PackSettings {
  /** The file as it was named; null for none. */
  readonly file: string | null;
  /** Its content; without a file every policy is advisory. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Absolute path of the baseline of exposure-ratchet; undefined for none. */
  readonly baseline: string | undefined;
}

const ratchet = "exposure-ratchet";
const ratchetEntry = z.looseObject({ baseline: z.string().optional() });

/**
 * Settings from a file for `--policy-pack-config`.
 * @param pack folder of the pack, where the paths in the file begin
 * @throws UsageError
 */
export function packSettings(file: string | undefined, pack: string): PackSettings {
  if (file === undefined) return { file: null, config: { all: "advisory" }, baseline: undefined };
  const config = parsedConfig(file);
  const entry = ratchetEntry.safeParse(config[ratchet]);
  const path = entry.success ? entry.data.baseline : undefined;
  return { file, config, baseline: path === undefined || path === "" ? undefined : resolve(pack, path) };
}

function parsedConfig(file: string): Record<string, unknown> {
  if (!existsSync(file)) throw new UsageError(`${file} does not exist; --policy-pack-config is a file of JSON`);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UsageError(`${file} is no config of policies: ${problem}`);
  }
}

/** The config with a baseline elsewhere, such as in the checkout of another revision. */
export function withBaseline({ config }: PackSettings, path: string | undefined): Readonly<Record<string, unknown>> {
  if (path === undefined) return config;
  return { ...config, [ratchet]: { ...ratchetEntry.parse(config[ratchet]), baseline: path } };
}

/** The folder of the pack where none is given: that of its config file, or the one above, that has a PulumiPolicy.yaml. */
export function packFolder(configFile: string | undefined): string {
  const near = configFile === undefined ? [] : [dirname(configFile), dirname(dirname(resolve(configFile)))];
  return near.find((folder) => existsSync(join(folder, "PulumiPolicy.yaml"))) ?? ".";
}
