import { existsSync, readFileSync } from "node:fs";
import { load } from "js-yaml";

/**
 * The paths of a stack's config file under which a secret is kept where the program has no place for one. Pulumi itself
 * tells a program only which top-level key holds a secret somewhere.
 * @param text the file's text, `Pulumi.STACK.yaml`
 * @param project prefix of the program's keys
 */
export function misplacedSecrets(text: string, project: string): string[] {
  const file = load(text);
  const config = isObject(file) && isObject(file.config) ? file.config : {};
  return Object.entries(config)
    .filter(([key]) => key.startsWith(`${project}:`))
    .flatMap(([key, value]) => secretPaths(value, [key]))
    .filter((path) => !isPlaceOfSecret(path))
    .map((path) => path.join("."));
}

/** The stack's config file in the program's folder; undefined where the stack is run with another (`--config-file`). */
export function configFileText(stack: string): string | undefined {
  const path = `Pulumi.${stack}.yaml`;
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Arguments of a service each of whose values may be a secret. */
export const secretArguments: readonly string[] = [
  "secretEnvironment",
  "credentials",
  "credentialsBase64",
  "packageIndex",
];

/** Whether the program keeps what stands here out of units, logs and clear state. */
export function isPlaceOfSecret(path: readonly string[]): boolean {
  const last = path.at(-1) ?? "";
  if (["privateKey", "privateKeyPassword", "password", "sudoPassword"].includes(last)) return true;
  if (secretArguments.includes(path.at(-2) ?? "")) return true;
  const ofWebhook = path.includes("webhooks");
  return ofWebhook && (last === "url" || last === "template" || path.at(-2) === "headers");
}

/** Where a `secure: ...` stands in place of a value. */
function secretPaths(value: unknown, path: readonly string[]): string[][] {
  if (Array.isArray(value)) return value.flatMap((part, index) => secretPaths(part, [...path, String(index)]));
  if (!isObject(value)) return [];
  if (Object.keys(value).length === 1 && typeof value.secure === "string") return [[...path]];
  return Object.entries(value).flatMap(([key, part]) => secretPaths(part, [...path, key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
