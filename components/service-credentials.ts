import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { credentialId } from "../activation/bundle.ts";
import { reported, validArguments } from "./argument-error.ts";
import { secretMark } from "./argument-schema.ts";
import type { Deferrable } from "./deferred.ts";
import type { DefinedFile } from "./definition.ts";

/** systemd refuses to start a unit whose credentials have more bytes together (systemd.exec(5)). */
const longestCredentials = 1024 * 1024;

/** One credential that is encrypted: with more, systemd 250 to 252 refuse its file. Measured; 252 takes 873 000. */
const longestEncrypted = 860_000;

/** How credentials lie on a host's disk. */
export const CredentialsAtRest = {
  /** As they are, in files that only root reads. */
  Plain: "plain",
  /** Encrypted by systemd-creds with the host's own key. From systemd 250 on. */
  Encrypted: "encrypted",
} as const;
export type CredentialsAtRest = (typeof CredentialsAtRest)[keyof typeof CredentialsAtRest];

/** A name of a credential. */
export const credentialName = z.string().regex(credentialId, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no name of a credential; write letters, digits and _ . @ -, beginning with a letter, a digit or _`,
});

/** Canonical base64, or the mark that stands for a secret where a program is run without it. */
const base64 = z
  .string()
  .refine((text) => secretMark.test(text) || Buffer.from(text, "base64").toString("base64") === text, {
    error: "is not base64 with its padding and without line breaks; `base64 -w0 FILE` makes it",
  });

/** The arguments that carry credentials, after all Outputs are known. */
export const credentialShape = {
  credentials: z.record(credentialName, z.string()).optional(),
  credentialsBase64: z.record(credentialName, base64).optional(),
  credentialsAtRest: z.enum(CredentialsAtRest).optional(),
};

const credentialSchema = z.strictObject(credentialShape);

/** The arguments of a service that carry credentials. */
export interface CredentialArgs {
  credentials?: unknown;
  credentialsBase64?: unknown;
  credentialsAtRest?: unknown;
}

/** Where the credentials of services lie on a host. */
export const credentialStore = "/etc/pulumi-systemd/credentials/";

/** Where one credential of a service lies on the host. Only root reads it. */
export function credentialPath(service: string, credential: string): string {
  return `${credentialStore}${service}/${credential}`;
}

/** The directive that hands over the credentials of a service, which is then not its user's to give. systemd.exec(5). */
export function credentialDirective(args: CredentialArgs): "LoadCredential" | "LoadCredentialEncrypted" {
  return args.credentialsAtRest === CredentialsAtRest.Encrypted ? "LoadCredentialEncrypted" : "LoadCredential";
}

/** Names of the credentials of a service, in order: each is one line of its unit. */
export function credentialNames(args: { credentials?: object | undefined; credentialsBase64?: object | undefined }) {
  return [...Object.keys(args.credentials ?? {}), ...Object.keys(args.credentialsBase64 ?? {})].sort();
}

/** The arguments with their names alone, which are no secret: everything that becomes text is made of these. */
export function withoutCredentials(args: CredentialArgs): CredentialArgs {
  const { credentials, credentialsBase64 } = args;
  return {
    ...(credentials === undefined ? {} : { credentials: namesAlone(credentials) }),
    ...(credentialsBase64 === undefined ? {} : { credentialsBase64: namesAlone(credentialsBase64) }),
  };
}

function namesAlone(values: unknown): unknown {
  const blank = (known: unknown) =>
    isObject(known) ? Object.fromEntries(Object.keys(known).map((name) => [name, ""])) : known;
  const isDeferred = pulumi.Output.isInstance(values) || values instanceof Promise;
  return isDeferred ? pulumi.unsecret(pulumi.output(values as object)).apply(blank) : blank(values);
}

/** The files of a service's credentials, one each, secret. */
export function credentialFiles(
  component: pulumi.Resource,
  name: string,
  args: CredentialArgs,
): Deferrable<DefinedFile[]> {
  if (args.credentials === undefined && args.credentialsBase64 === undefined) return [];
  const secret: pulumi.Output<unknown> = pulumi.secret(args);
  return secret.apply((known) => reported(component, name, () => credentialFilesOf(name, known)));
}

/**
 * The same from known arguments.
 * @throws Error naming the path of what is wrong and never a value
 */
export function credentialFilesOf(name: string, known: unknown): DefinedFile[] {
  const { credentials = {}, credentialsBase64 = {}, credentialsAtRest } = validArguments(credentialSchema, known);
  const twice = Object.keys(credentials).find((credential) => credential in credentialsBase64);
  if (twice !== undefined) {
    throw new Error(`credentialsBase64.${twice}: is given in \`credentials\` too; keep one of the two`);
  }
  const isEncrypted = credentialsAtRest === CredentialsAtRest.Encrypted;
  const file = (credential: string) => ({
    path: credentialPath(name, credential),
    mode: "0600",
    secret: true,
    ...(isEncrypted ? { seal: credential } : {}),
  });
  const files = [
    ...Object.entries(credentials).map(([credential, content]) => ({ ...file(credential), content })),
    ...Object.entries(credentialsBase64).map(([credential, content]) => ({
      ...file(credential),
      content,
      encoding: "base64",
    })),
  ];
  const sizes = files.map(({ content, ...rest }) => Buffer.byteLength(content, "encoding" in rest ? "base64" : "utf8"));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > longestCredentials) {
    throw new Error(
      `credentials: have ${bytes} bytes together, and systemd passes at most ${longestCredentials} to a unit; ship larger data in a release`,
    );
  }
  const longest = Math.max(0, ...sizes);
  if (isEncrypted && longest > longestEncrypted) {
    throw new Error(
      `credentialsAtRest: ${files[sizes.indexOf(longest)]?.seal} has ${longest} bytes, and an encrypted credential may have ${longestEncrypted}; ship larger data in a release, or say "plain"`,
    );
  }
  return files;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
