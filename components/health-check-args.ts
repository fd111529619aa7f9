import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parsedTimeSpan, timeSpanProblem } from "../systemd/values/time-span.ts";
import { calendar, sectionDirectives, timeSpan, unitReference } from "./argument-schema.ts";
import type { UnitReference } from "./definition.ts";
import type { ServiceSectionArgs, TimerSectionArgs } from "./section-args.generated.ts";
import { type WaiverArgs, waivers } from "./waiver.ts";

/** A GET request that the service must answer. Redirects are not followed; certificates are checked. */
export interface HttpProbeArgs {
  /** Address as seen from the host: `http://127.0.0.1:8000/healthz`. May be a secret: then messages name only its host. */
  url: pulumi.Input<string>;
  /** The one status that counts as well. Default: any from 200 to 399. */
  status?: pulumi.Input<number>;
  /** Text that the first MiB of the answer must hold. Default: none. */
  contains?: pulumi.Input<string>;
}

/** A port that must accept a connection. */
export interface TcpProbeArgs {
  /** Address or name as seen from the host. Default: `127.0.0.1`. */
  host?: pulumi.Input<string>;
  /** Port, 1 to 65535. */
  port: pulumi.Input<number>;
}

/** Arguments of `HealthCheck`. Without `http`, `tcp` and `command` it looks only whether the unit is active. */
export interface HealthCheckArgs {
  /** The unit that is watched, and restarted while it is not well. */
  unit: UnitReference;
  /** A GET request that must be answered. Default: none. */
  http?: pulumi.Input<HttpProbeArgs>;
  /** A port that must accept a connection. Default: none. */
  tcp?: pulumi.Input<TcpProbeArgs>;
  /**
   * A program, by its absolute path, and its arguments, that must end with exit status 0. It runs as root without
   * capabilities, in the sandbox of the check: it writes nowhere but /tmp and the check's StateDirectory. Default: none.
   */
  command?: pulumi.Input<pulumi.Input<string>[]>;
  /** Pause between two checks, a time span of at least 1 s. Default: `1min`, or none where `onCalendar` is given. */
  everySec?: pulumi.Input<string>;
  /** Wall-clock times of checks, in the grammar of systemd.time(7). Default: none. */
  onCalendar?: pulumi.Input<string>;
  /** Time in which every probe must have answered, a time span. Default: `5s`. */
  timeoutSec?: pulumi.Input<string>;
  /** Failed checks in a row after which the unit is restarted. Default: 2. */
  failAfter?: pulumi.Input<number>;
  /** Time after any start of the unit in which a failed check does not count, a time span. Default: `30s`. */
  graceSec?: pulumi.Input<string>;
  /** Restarts within `withinSec`; 0 only tells. Default: 3. */
  maxRestarts?: pulumi.Input<number>;
  /** Length of the sliding window in which `maxRestarts` counts, a time span; it goes on over reboots. Default: `1h`. */
  withinSec?: pulumi.Input<string>;
  /** Pause after a restart before the next one, doubled by each restart in the window; a time span. Default: `1min`. */
  backoffSec?: pulumi.Input<string>;
  /** One line for people. Default: `Health check of UNIT`. */
  description?: pulumi.Input<string>;
  /** Any directive of [Service] of the check by its systemd name. Default: none. */
  service?: pulumi.Input<ServiceSectionArgs>;
  /** Any directive of [Timer] by its systemd name, such as several calendars. Default: none. */
  timer?: pulumi.Input<TimerSectionArgs>;
  /** Lints and policies that the check's service and timer may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

/** A finite time span of at least so many seconds. */
function spanOf(least: number, words: string) {
  return timeSpan.superRefine((text, context) => {
    if (timeSpanProblem(text) !== undefined) return;
    const seconds = parsedTimeSpan(text) / 1e6;
    if (Number.isFinite(seconds) && seconds >= least) return;
    context.addIssue({ code: "custom", message: `${JSON.stringify(text)} is not ${words}; write e.g. "30s"` });
  });
}

const anySpan = spanOf(0, "a time that ends");

const url = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** It may be secret, so it is not shown. */
function urlProblem(text: string): string | undefined {
  const example = "write e.g. http://127.0.0.1:8000/healthz";
  if (!URL.canParse(text)) return `is not a URL; ${example}`;
  const { protocol, username, password } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return `must begin with http:// or https://; ${example}`;
  if (username !== "" || password !== "") return "holds a user name or password, which is not sent; use a command";
  return undefined;
}

/** `HealthCheckArgs` after all Outputs are known. */
export const healthCheckSchema = z.strictObject({
  unit: unitReference,
  http: z
    .strictObject({
      url,
      status: z.number().int().min(100).max(599).optional(),
      contains: z.string().min(1, "is empty; give a text, or leave it out").optional(),
    })
    .optional(),
  tcp: z
    .strictObject({
      host: z
        .string()
        .regex(/^[A-Za-z0-9._:-]+$/, "is not an address or host name; write e.g. 127.0.0.1")
        .optional(),
      port: z.number().int().min(1).max(65535),
    })
    .optional(),
  command: z
    .array(z.string().regex(/^[^\0]*$/, "holds a NUL character"))
    .refine(([first]) => first?.startsWith("/") === true, "must begin with the absolute path of a program on the host")
    .optional(),
  everySec: spanOf(1, "a time span of at least 1 s").optional(),
  onCalendar: calendar.optional(),
  timeoutSec: spanOf(0.001, "a time span above 0").optional(),
  failAfter: z.number().int().min(1).max(1000).optional(),
  graceSec: anySpan.optional(),
  maxRestarts: z.number().int().min(0).max(1000).optional(),
  withinSec: spanOf(1, "a time span of at least 1 s").optional(),
  backoffSec: anySpan.optional(),
  description: z.string().optional(),
  service: sectionDirectives("service", "Service").optional(),
  timer: sectionDirectives("timer", "Timer").optional(),
  waive: waivers.optional(),
});

export type HealthCheckPlain = z.infer<typeof healthCheckSchema>;
