import { posix } from "node:path";
import { z } from "zod";
import { scopePart } from "../activation/bundle.ts";
import { calendarProblem } from "../systemd/calendar.ts";
import type { DirectiveValue } from "../systemd/sections.ts";
import { unitNameProblem } from "../systemd/unit-name.ts";
import { unitProblems } from "../systemd/validate.ts";
import { timeSpanProblem } from "../systemd/values/time-span.ts";

/** A word in place of a value: the reason stands alone, the value is named by the caller's path. */
export function checked(problem: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const reason = problem(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  });
}

/** A time span as systemd reads it; a bare number is in seconds. */
export const timeSpan = z.preprocess(
  (value) => (typeof value === "number" ? String(value) : value),
  checked(timeSpanProblem),
);

/** An `OnCalendar=` expression that elapses at some time. */
export const calendar = checked(calendarProblem);

/** A whole unit file name, such as `redis-server.service`. */
export const unitName = checked(unitNameProblem);

/** Another unit: `{ unitName }`, or in YAML its file name alone. */
export const unitReference = z.preprocess(
  (value) => (typeof value === "string" ? { unitName: value } : value),
  z.strictObject({ unitName }),
);

/** The name of a component becomes the name of its units, so it must be one. */
export function componentNameProblem(name: string, suffix: string): string | undefined {
  return unitNameProblem(`${name}${suffix}`);
}

/** A user or group name that systemd and useradd both accept. */
export const accountName = z.string().regex(/^[a-z_][a-z0-9_-]{0,30}$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not an account name; write a lower-case letter or _, then up to 30 of a-z 0-9 _ -`,
});

/** An absolute path on the host. */
export const hostPath = z.string().regex(/^\/[^\0\n]*$/, {
  error: ({ input }) => `${JSON.stringify(input)} is not an absolute path on the host; start it with /`,
});

/** A path that is compared with others, and removed by: written in one way alone. */
export const plainPath = hostPath.refine((path) => path !== "/" && path === plain(path), {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not the plain form of a path on the host; write it without //, . and .., and without / at its end`,
});

function plain(path: string): string {
  return posix.normalize(path).replace(/\/$/, "");
}

/** Why a project, stack or host has no hosts under this name: Pulumi itself takes more names. */
export function scopePartProblem(kind: string, name: string): string | undefined {
  if (scopePart.test(name)) return undefined;
  return `${JSON.stringify(name)} is no name of a ${kind} here; write letters, digits and . _ -, beginning with a letter or a digit`;
}

/** The name of a Host: part of the scope that tells whose files these are on the machine. */
export const hostName = checked((name) => scopePartProblem("host", name));

/** A name that a shell and systemd accept for an environment variable. */
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not a variable name; use letters, digits and _, not starting with a digit`,
});

const isScalar = (value: unknown) =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

/** One directive's value; undefined where an optional argument was not given. */
const directiveValue = z.custom<DirectiveValue | undefined>(
  (value) => value === undefined || isScalar(value) || (Array.isArray(value) && value.every(isScalar)),
  { error: "is not a directive's value; write text, a number, true or false, or a list of these" },
);

/** The directives of one section by their systemd names, unchecked: for a unit whose kind its name tells. */
export const directives = z.record(z.string(), directiveValue);

/**
 * The directives of one section by their systemd names, each checked against systemd's own tables.
 * @param unitType the kind of unit that the section belongs to, such as `service`
 * @param section the section's name, such as `Service`
 */
export function sectionDirectives(unitType: string, section: string) {
  return directives.superRefine((given, context) => {
    for (const problem of unitProblems(`name.${unitType}`, { [section]: given })) {
      if (problem.severity !== "error" || problem.directive === undefined) continue;
      context.addIssue({ code: "custom", path: [problem.directive], message: problem.message });
    }
  });
}

/** A number where people write one although the value is text: a port, a count of seconds. */
export const textOrNumber = z.preprocess((value) => (typeof value === "number" ? String(value) : value), z.string());

/** What `review` and `render` give a program in place of each secret. No check may refuse it. */
export const secretMark = /^\[secret( [0-9a-f]{12})?\]$/;

/** What a change does to a running unit. */
export const onChange = z.enum(["auto", "restart", "reload", "none"]);
