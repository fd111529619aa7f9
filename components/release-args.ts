import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parsedTimeSpan } from "../systemd/values/time-span.ts";
import { timeSpan } from "./argument-schema.ts";

/** What installs the packages of an environment. */
export const Installer = {
  /** uv where the host has it or `uvVersion` is given, else pip. */
  Auto: "auto",
  /** `python -m venv` and the pip in it. */
  Pip: "pip",
  /** uv; an error where there is none. */
  Uv: "uv",
} as const;
export type Installer = (typeof Installer)[keyof typeof Installer];

/** Where packages come from. Rendered as `pip.conf` and `uv.toml`, which exist for the time of a build and only root reads. */
export interface PackageIndexArgs {
  /** URL of the index in place of PyPI, without credentials: `https://pypi.example.org/simple`. Default: the host's own. */
  url?: pulumi.Input<string>;
  /** URLs of further indexes; they get no credentials. Default: none. */
  extraUrls?: pulumi.Input<pulumi.Input<string>[]>;
  /** Hosts whose TLS certificate is not checked, or that have none. Default: none. */
  trustedHosts?: pulumi.Input<pulumi.Input<string>[]>;
  /** User name at `url`. Default: none. */
  username?: pulumi.Input<string>;
  /** Password or token at `url`: secret. Default: none. */
  password?: pulumi.Input<string>;
}

/** Arguments of a PythonService that say what is shipped, what it needs, and what runs when it is new. */
export interface ReleaseArgs {
  /**
   * Code on this machine that is shipped to the host as a release, `/opt/NAME/releases/ID`: a directory, a `.tar`, `.tar.gz` or
   * `.zip` of one, or a wheel. It belongs to root; the service can read it. `/opt/NAME/current` points to the one that runs.
   * A directory leaves out what its `.gitignore` files say, caches, virtual environments and `.env` files. Default: none.
   */
  source?: pulumi.Input<string>;
  /** Patterns as in `.gitignore`, relative to `source`, that have the last word: `["!.env.test", "docs/"]`. Default: none. */
  ignore?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Lock of what the code needs: a `requirements.txt`, `pylock.toml` or `uv.lock` (with the `pyproject.toml` beside it). A path
   * relative to `source`, or to the working directory where `source` has no such file. It is installed on the host into a virtual
   * environment of this service alone, once for each lock and interpreter. Default: none, the code needs no packages.
   */
  requirements?: pulumi.Input<string>;
  /** Directory of wheels on this machine that are shipped along; no index is asked then. Default: none. */
  wheelhouse?: pulumi.Input<string>;
  /** Interpreter of the environment: a version that the host must have, `3.12`, or an absolute path. Default: `/usr/bin/python3`. */
  python?: pulumi.Input<string>;
  /** Where packages come from. Default: what the host's own configuration says, else PyPI. */
  packageIndex?: pulumi.Input<PackageIndexArgs>;
  /** What installs the packages. Default: `auto`. */
  installer?: pulumi.Input<Installer>;
  /** Version of uv that is installed for a build where the host has no uv: `0.9.5`. Default: none. */
  uvVersion?: pulumi.Input<string>;
  /** Longest build of an environment, a time span. Default: `10min`. */
  buildSec?: pulumi.Input<string>;
  /**
   * Program and arguments that try the new release beside the old one: an import, a `--check`. It runs before anything is
   * switched, as the service's user, with its environment, secrets and sandbox. Default: none.
   */
  check?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Program and arguments that run once for each release before it takes over, after `check`: migrations. If it fails, the old
   * release goes on running. Default: none.
   */
  preStart?: pulumi.Input<pulumi.Input<string>[]>;
  /** Program and arguments that run when the new release is up. If it fails, the host goes back to the old. Default: none. */
  postStart?: pulumi.Input<pulumi.Input<string>[]>;
  /** Longest run of each hook, a time span. Default: `5min`. */
  hookSec?: pulumi.Input<string>;
  /**
   * How many releases before the current one stay on the host, with their environments. Those that a kept generation of the
   * host needs (`keepGenerations`) stay in any case. Default: 3.
   */
  keepReleases?: pulumi.Input<number>;
}

const indexUrl = z.string().min(1);

/** `PackageIndexArgs` after all Outputs are known. No message of it shows a value: one may be secret. */
export const packageIndexSchema = z
  .strictObject({
    url: indexUrl.optional(),
    extraUrls: z.array(indexUrl).optional(),
    trustedHosts: z.array(z.string().regex(/^[A-Za-z0-9.-]+(:\d+)?$/, "must be a host, or host:port")).optional(),
    username: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
  })
  .refine(({ username, password }) => password === undefined || username !== undefined, {
    path: ["username"],
    error: "is missing beside password; for a token, many indexes take __token__",
  })
  .refine(({ url, username }) => username === undefined || url !== undefined, {
    path: ["url"],
    error: "is missing beside username; name the index that it is for",
  });

const words = z.array(z.string()).min(1, "is empty; give a program and its arguments, one word each");

/** A time span of at least a second that ends. */
const bound = timeSpan.refine(
  (text) => secondsOf(text) >= 1,
  "must be a time span of 1s or more that ends, such as 10min",
);

/** The arguments of `ReleaseArgs` after all Outputs are known. */
export const releaseShape = {
  source: z.string().min(1).optional(),
  ignore: z.array(z.string().min(1)).optional(),
  requirements: z.string().min(1).optional(),
  wheelhouse: z.string().min(1).optional(),
  python: z
    .string()
    .regex(/^(3\.\d{1,2}|\/[^\0\n]+)$/, {
      error: ({ input }) =>
        `${JSON.stringify(input)} is no interpreter; write a version such as "3.12", or an absolute path`,
    })
    .optional(),
  packageIndex: packageIndexSchema.optional(),
  installer: z.enum(["auto", "pip", "uv"]).optional(),
  uvVersion: z
    .string()
    .regex(/^\d+(\.\d+)+$/, "must be a version such as 0.9.5")
    .optional(),
  buildSec: bound.optional(),
  check: words.optional(),
  preStart: words.optional(),
  postStart: words.optional(),
  hookSec: bound.optional(),
  keepReleases: z.number().int().min(0).max(100).optional(),
};

/** Whole seconds of a time span, rounded up; 0 where it has no end. */
export function secondsOf(text: string): number {
  const seconds = Math.ceil(parsedTimeSpan(text) / 1e6);
  return Number.isFinite(seconds) && seconds <= 86_400 ? seconds : 0;
}
