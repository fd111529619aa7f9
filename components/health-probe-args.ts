import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { bytesProblem, parsedBytes } from "../systemd/values/bytes.ts";
import { parsedTimeSpan, timeSpanProblem } from "../systemd/values/time-span.ts";
import { accountName, hostPath, timeSpan, unitReference } from "./argument-schema.ts";
import type { UnitReference } from "./definition.ts";

/** A GET request that the service must answer. Redirects are not followed; certificates are checked. */
export interface HttpProbeArgs {
  /** Address as seen from the host: `http://127.0.0.1:8000/healthz`. May be a secret: then messages name only its host. */
  url: pulumi.Input<string>;
  /** The one status that counts as well. Default: any from 200 to 399. */
  status?: pulumi.Input<number>;
  /** Text that the first MiB of the answer must hold. Default: none. */
  contains?: pulumi.Input<string>;
  /** Least time for which the certificate must still be valid, a time span such as `14d`. Default: any. */
  certificateSec?: pulumi.Input<string>;
  /** File of certificates on the host to trust in place of the system's. Default: the system's. */
  caFile?: pulumi.Input<string>;
  /** Socket in the file system to connect to, whatever host and port the URL names; not for https. Default: none. */
  unixSocket?: pulumi.Input<string>;
  /** Time in which it must have answered, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** A port that must accept a connection. */
export interface TcpProbeArgs {
  /** Address or name as seen from the host. Default: `127.0.0.1`. */
  host?: pulumi.Input<string>;
  /** Port, 1 to 65535. */
  port: pulumi.Input<number>;
  /** Time in which it must have answered, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** A stream socket in the file system that must accept a connection from root without capabilities. */
export interface UnixSocketProbeArgs {
  /** Absolute path on the host. */
  path: pulumi.Input<string>;
  /** Time in which it must have answered, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** A program that must end with exit status 0. */
export interface CommandProbeArgs {
  /** The program by its absolute path, and its arguments. */
  exec: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Account that runs it, outside the sandbox of the check. Default: root without capabilities, in the sandbox of the
   * check: it writes nowhere but /tmp.
   */
  user?: pulumi.Input<string>;
  /** Time in which it must have ended, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** A file that must have been written lately, such as a backup or a heartbeat. */
export interface FileProbeArgs {
  /** Absolute path on the host, or a pattern such as `/srv/backup/*.dump`, of which the newest counts. */
  path: pulumi.Input<string>;
  /** Longest time since it was written, a time span. */
  maxAgeSec: pulumi.Input<string>;
  /** Least size, such as `1M`. Default: 0. */
  minSize?: pulumi.Input<string>;
  /** Time in which the file system must have answered, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** A file system that must have room. At least one of the two limits. */
export interface DiskProbeArgs {
  /** Any path on it. Default: `/`. */
  path?: pulumi.Input<string>;
  /** Least room for other users than root, such as `2G`. Default: none. */
  minFree?: pulumi.Input<string>;
  /** Least part of its room, and of its inodes, that is free, in percent. Default: none. */
  minFreePercent?: pulumi.Input<number>;
  /** Time in which the file system must have answered, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** A unit whose processes together may use so much memory. */
export interface MemoryProbeArgs {
  /** Most memory, such as `512M`. */
  max: pulumi.Input<string>;
  /** The unit. Default: the one that is checked. */
  unit?: UnitReference;
  /** Time in which systemd must have answered, a time span. Default: `timeoutSec` of the check. */
  timeoutSec?: pulumi.Input<string>;
}

/** What is looked at. Every probe that is given must be well. */
export interface HealthProbesArgs {
  /** A GET request that must be answered. Default: none. */
  http?: pulumi.Input<HttpProbeArgs>;
  /** A port that must accept a connection. Default: none. */
  tcp?: pulumi.Input<TcpProbeArgs>;
  /** A socket in the file system that must accept a connection. Default: none. */
  unixSocket?: pulumi.Input<UnixSocketProbeArgs>;
  /** A program that must end with exit status 0. Default: none. */
  command?: pulumi.Input<CommandProbeArgs>;
  /** A file that must have been written lately. Default: none. */
  file?: pulumi.Input<FileProbeArgs>;
  /** A file system that must have room. Default: none. */
  disk?: pulumi.Input<DiskProbeArgs>;
  /** Memory that a unit may use. Default: none. */
  memory?: pulumi.Input<MemoryProbeArgs>;
  /** Another unit that must be active. Default: none. */
  active?: UnitReference;
}

/** A finite time span of at least so many seconds. */
export function spanOf(least: number, words: string) {
  return timeSpan.superRefine((text, context) => {
    if (timeSpanProblem(text) !== undefined) return;
    const seconds = parsedTimeSpan(text) / 1e6;
    if (Number.isFinite(seconds) && seconds >= least) return;
    context.addIssue({ code: "custom", message: `${JSON.stringify(text)} is not ${words}; write e.g. "30s"` });
  });
}

/** A time span that ends. */
export const anySpan = spanOf(0, "a time that ends");

const url = z.string().superRefine((text, context) => {
  const problem = urlProblem(text, "http://127.0.0.1:8000/healthz");
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** Why a text is no URL that can be asked. It may be secret, so it is not shown. */
export function urlProblem(text: string, example: string): string | undefined {
  if (!URL.canParse(text)) return `is not a URL; write e.g. ${example}`;
  const { protocol, username, password } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") {
    return `must begin with http:// or https://; write e.g. ${example}`;
  }
  if (username !== "" || password !== "") return "holds a user name or password, which is not sent; use a command";
  return undefined;
}

/** The URL as it goes over the wire: ASCII, percent-encoded, without a fragment. */
export function requestUrl(text: string): string {
  const parsed = new URL(text);
  parsed.hash = "";
  return parsed.href;
}

const size = z.preprocess(
  (value) => (typeof value === "number" ? String(value) : value),
  z.string().superRefine((text, context) => {
    const problem = bytesProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  }),
);

/** A program by its absolute path, and its arguments. */
export const programAndArguments = z
  .array(z.string().regex(/^[^\0]*$/, "holds a NUL character"))
  .refine(([first]) => first?.startsWith("/") === true, "must begin with the absolute path of a program on the host");

const timeout = spanOf(0.001, "a time span above 0").optional();

/** The fields of `HealthProbesArgs` after all Outputs are known. */
export const healthProbesShape = {
  http: z
    .strictObject({
      url,
      status: z.number().int().min(100).max(599).optional(),
      contains: z.string().min(1, "is empty; give a text, or leave it out").optional(),
      certificateSec: anySpan.optional(),
      caFile: hostPath.optional(),
      unixSocket: hostPath.optional(),
      timeoutSec: timeout,
    })
    .superRefine((probe, context) => {
      const secure = probe.url.toLowerCase().startsWith("https:");
      for (const field of ["certificateSec", "caFile"] as const) {
        if (probe[field] === undefined || secure) continue;
        context.addIssue({ code: "custom", path: [field], message: "is given, but the url is not https" });
      }
      if (probe.unixSocket !== undefined && secure) {
        context.addIssue({ code: "custom", path: ["unixSocket"], message: "is given, but the url is https; use http" });
      }
    })
    .optional(),
  tcp: z
    .strictObject({
      host: z
        .string()
        .regex(/^[A-Za-z0-9._:-]+$/, "is not an address or host name; write e.g. 127.0.0.1")
        .optional(),
      port: z.number().int().min(1).max(65535),
      timeoutSec: timeout,
    })
    .optional(),
  unixSocket: z.strictObject({ path: hostPath, timeoutSec: timeout }).optional(),
  command: z.strictObject({ exec: programAndArguments, user: accountName.optional(), timeoutSec: timeout }).optional(),
  file: z
    .strictObject({ path: hostPath, maxAgeSec: anySpan, minSize: size.optional(), timeoutSec: timeout })
    .optional(),
  disk: z
    .strictObject({
      path: hostPath.optional(),
      minFree: size.optional(),
      minFreePercent: z.number().gt(0).lt(100).optional(),
      timeoutSec: timeout,
    })
    .refine(({ minFree, minFreePercent }) => minFree !== undefined || minFreePercent !== undefined, {
      error: "has no limit; give minFree, minFreePercent or both",
    })
    .optional(),
  memory: z.strictObject({ max: size, unit: unitReference.optional(), timeoutSec: timeout }).optional(),
  active: unitReference.optional(),
};

const healthProbesSchema = z.strictObject(healthProbesShape);

/** `HealthProbesArgs` after all Outputs are known. */
export type HealthProbesPlain = z.infer<typeof healthProbesSchema>;

/** One probe as the program on the host reads it (activation/health/pulumi_systemd_health/probe_settings.py). */
export type HealthProbe = { timeoutSec: number } & (
  | {
      kind: "http";
      url: string;
      status: number | null;
      contains: string | null;
      certificateSec: number | null;
      caFile: string | null;
      unixSocket: string | null;
    }
  | { kind: "tcp"; host: string; port: number }
  | { kind: "unix-socket"; path: string }
  | { kind: "command"; command: string[]; user: string | null }
  | { kind: "file"; path: string; maxAgeSec: number; minBytes: number }
  | { kind: "disk"; path: string; minFreeBytes: number | null; minFreePercent: number | null }
  | { kind: "memory"; unit: string; maxBytes: number }
  | { kind: "unit"; unit: string }
  | { kind: "timer"; timer: string; graceSec: number }
);

/**
 * The probes in the form that the host reads, every default filled in, times in seconds and sizes in bytes.
 * @param unit the unit that is checked, if any: whose memory is meant where none is named
 * @param timeoutSec time for each probe that names none, a time span
 * @throws Error when memory is to be probed and no unit is known
 */
export function healthProbes(args: HealthProbesPlain, unit: string | undefined, timeoutSec: string): HealthProbe[] {
  const { http, tcp, unixSocket, command, file, disk, memory, active } = args;
  const bound = (own: string | undefined) => ({ timeoutSec: secondsOf(own ?? timeoutSec) });
  const ofUnit = memory?.unit?.unitName ?? unit;
  if (memory !== undefined && ofUnit === undefined) throw new Error("memory.unit: is missing, and no unit is checked");
  const probes: (HealthProbe | undefined)[] = [
    http && {
      kind: "http",
      ...bound(http.timeoutSec),
      url: requestUrl(http.url),
      status: http.status ?? null,
      contains: http.contains ?? null,
      certificateSec: http.certificateSec === undefined ? null : secondsOf(http.certificateSec),
      caFile: http.caFile ?? null,
      unixSocket: http.unixSocket ?? null,
    },
    tcp && { kind: "tcp", ...bound(tcp.timeoutSec), host: tcp.host ?? "127.0.0.1", port: tcp.port },
    unixSocket && { kind: "unix-socket", ...bound(unixSocket.timeoutSec), path: unixSocket.path },
    command && { kind: "command", ...bound(command.timeoutSec), command: command.exec, user: command.user ?? null },
    file && {
      kind: "file",
      ...bound(file.timeoutSec),
      path: file.path,
      maxAgeSec: secondsOf(file.maxAgeSec),
      minBytes: file.minSize === undefined ? 0 : parsedBytes(file.minSize),
    },
    disk && {
      kind: "disk",
      ...bound(disk.timeoutSec),
      path: disk.path ?? "/",
      minFreeBytes: disk.minFree === undefined ? null : parsedBytes(disk.minFree),
      minFreePercent: disk.minFreePercent ?? null,
    },
    memory && { kind: "memory", ...bound(memory.timeoutSec), unit: ofUnit ?? "", maxBytes: parsedBytes(memory.max) },
    active && { kind: "unit", ...bound(undefined), unit: active.unitName },
  ];
  return probes.filter((probe) => probe !== undefined);
}

/** A time span in seconds. */
export function secondsOf(span: string): number {
  return parsedTimeSpan(span) / 1e6;
}
