import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../unit-source.ts";
import type { ProjectFile } from "./project-file.ts";
import { pulumiOutput } from "./pulumi-output.ts";
import { pulumiYaml } from "./pulumi-yaml.ts";

/** The config of a stack as a program gets it. */
export interface StackConfigValues {
  /** Text or JSON by the whole key: `shop:hosts`. */
  readonly values: Readonly<Record<string, string>>;
  /** Keys that hold a secret somewhere. */
  readonly secretKeys: readonly string[];
  /** What a reader should know about these values. */
  readonly notes: readonly string[];
}

/** Where a stack's config comes from. */
export interface StackConfigSource {
  readonly project: ProjectFile;
  /** Name of the stack, without organization. */
  readonly stack: string;
  /** Another file than `Pulumi.STACK.yaml`. */
  readonly configFile?: string | undefined;
  /** Name by which the CLI knows the stack, where secrets are to be read; else each is `secretPlaceholder`. */
  readonly decryptedAs?: string | undefined;
  /** Whether each placeholder has a mark of its ciphertext, so that a secret that was set anew differs. */
  readonly marked?: boolean | undefined;
}

/** Stands for a secret that was not decrypted. */
export const secretPlaceholder = "[secret]";

/** Such a placeholder with a mark of the ciphertext, which stands in the stack's file for all to see. */
function markedPlaceholder(ciphertext: string): string {
  return `[secret ${createHash("sha256").update(ciphertext).digest("hex").slice(0, 12)}]`;
}

const stackFileSchema = z.looseObject({
  config: z.record(z.string(), z.unknown()).nullish(),
  environment: z.unknown().optional(),
});

/**
 * The config of a stack: the project's own values, below those of the stack's file.
 * @throws UsageError when the file is missing or not readable, or when the CLI cannot decrypt it
 */
export async function stackConfigValues(source: StackConfigSource): Promise<StackConfigValues> {
  const { project, decryptedAs } = source;
  if (decryptedAs !== undefined) return decryptedValues(source, decryptedAs);
  const path = configFilePath(source);
  const { config, environment } = path === undefined ? { config: {}, environment: undefined } : stackFile(path);
  const all = Object.entries({ ...projectValues(project), ...qualified(project.name, config ?? {}) });
  const placeholder = source.marked === true ? markedPlaceholder : () => secretPlaceholder;
  const values = all.map(([key, value]) => [key, withoutSecrets(value, placeholder)] as const);
  return {
    values: Object.fromEntries(values.map(([key, value]) => [key, textOf(value)])),
    secretKeys: all.filter(([, value]) => holdsSecret(value)).map(([key]) => key),
    notes:
      environment === undefined
        ? []
        : ["values of the stack's Pulumi ESC environment are not known here: its config is read from files alone"],
  };
}

async function decryptedValues({ project, configFile }: StackConfigSource, name: string): Promise<StackConfigValues> {
  const args = ["config", "--show-secrets", "--json", "--stack", name];
  if (configFile !== undefined) args.push("--config-file", configFile);
  const printed = await pulumiOutput(args, project.folder);
  const parsed = z
    .record(z.string(), z.looseObject({ value: z.string().optional(), secret: z.boolean().optional() }))
    .parse(JSON.parse(printed));
  return {
    values: Object.fromEntries(Object.entries(parsed).map(([key, { value = "" }]) => [key, value])),
    secretKeys: Object.entries(parsed).flatMap(([key, { secret }]) => (secret === true ? [key] : [])),
    notes: [],
  };
}

/** The stack's file, or nothing where no stack of this project has one. */
function configFilePath({ project, stack, configFile }: StackConfigSource): string | undefined {
  const path = configFile ?? join(project.stackFolder, `Pulumi.${stack}.yaml`);
  if (existsSync(path)) return path;
  if (configFile !== undefined) throw new UsageError(`${configFile} does not exist`);
  const others = readdirSync(project.stackFolder).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  if (others.length === 0) return undefined;
  throw new UsageError(
    `${path} does not exist; the project has config files of the stacks ${others.sort().join(", ")}`,
  );
}

function stackFile(path: string): z.infer<typeof stackFileSchema> {
  try {
    return stackFileSchema.parse(pulumiYaml(readFileSync(path, "utf8"), path) ?? {});
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UsageError(`${path} is not a stack's config file: ${problem}`);
  }
}

const declaredKeys = new Set(["type", "description", "secret", "default", "items", "value"]);

function projectValues({ name, config }: ProjectFile): Record<string, unknown> {
  const values = Object.entries(config).map(([key, given]) => {
    const isDeclared = isObject(given) && Object.keys(given).some((word) => declaredKeys.has(word));
    return [key, isDeclared ? (given.value ?? given.default) : given] as const;
  });
  return qualified(name, Object.fromEntries(values.filter(([, value]) => value !== undefined && value !== null)));
}

/** Keys with their namespace: `hosts` is `shop:hosts`, and so is the older `shop:config:hosts`. */
function qualified(project: string, config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const [namespace, ...rest] = key.split(":");
      return [rest.length === 0 ? `${project}:${key}` : `${namespace}:${rest.at(-1)}`, value];
    }),
  );
}

/** As Pulumi hands it over: nothing is an empty text, and the keys of objects are sorted. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === null ? "" : JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}

function withoutSecrets(value: unknown, placeholder: (ciphertext: string) => string): unknown {
  if (isSecret(value)) return placeholder(value.secure);
  if (Array.isArray(value)) return value.map((part) => withoutSecrets(part, placeholder));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutSecrets(part, placeholder)]));
}

function holdsSecret(value: unknown): boolean {
  if (isSecret(value)) return true;
  return (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []).some(holdsSecret);
}

function isSecret(value: unknown): value is { secure: string } {
  return isObject(value) && Object.keys(value).length === 1 && typeof value.secure === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
