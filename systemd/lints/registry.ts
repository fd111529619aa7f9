import { calendarLints } from "./calendars.ts";
import { dependencyLints } from "./dependencies.ts";
import { directiveLints } from "./directives.ts";
import { dynamicUserLints } from "./dynamic-user.ts";
import { executableLints } from "./executable.ts";
import { installLints } from "./install.ts";
import type { Lint } from "./lint.ts";
import { mountLints } from "./mounts.ts";
import { orderingCycleLints } from "./ordering-cycle.ts";
import { outputLints } from "./output.ts";
import { privilegeLints } from "./privileges.ts";
import { readinessLints } from "./readiness.ts";
import { restartLints } from "./restart.ts";
import { sandboxPathLints } from "./sandbox-paths.ts";
import { secretLints } from "./secrets.ts";
import { serviceTypeLints } from "./service-type.ts";
import { shellSyntaxLints } from "./shell-syntax.ts";
import { socketLints } from "./sockets.ts";
import { stoppingLints } from "./stopping.ts";
import { syntaxLints } from "./syntax.ts";
import { timerLints } from "./timers.ts";
import { variableLints } from "./variables.ts";

/** A part of docs/lints.md. */
export interface LintFamily {
  /** Heading. */
  readonly name: string;
  readonly lints: readonly Lint[];
}

/** All lints, by subject. */
export const lintFamilies: readonly LintFamily[] = [
  { name: "Files and sections", lints: syntaxLints },
  { name: "Single assignments", lints: directiveLints },
  { name: "Type of a service", lints: serviceTypeLints },
  { name: "Readiness and watchdog", lints: readinessLints },
  { name: "Restart", lints: restartLints },
  { name: "Stop", lints: stoppingLints },
  { name: "Shell syntax", lints: shellSyntaxLints },
  { name: "Commands", lints: executableLints },
  { name: "Variables and specifiers", lints: variableLints },
  { name: "Secrets", lints: secretLints },
  { name: "Paths and the sandbox", lints: sandboxPathLints },
  { name: "Users and privileges", lints: [...privilegeLints, ...dynamicUserLints] },
  { name: "Output, limits, names", lints: outputLints },
  { name: "Dependencies", lints: [...dependencyLints, ...orderingCycleLints] },
  { name: "Enabling", lints: installLints },
  { name: "Timers and paths", lints: timerLints },
  { name: "Calendars", lints: calendarLints },
  { name: "Sockets", lints: socketLints },
  { name: "Mounts", lints: mountLints },
];

/** All lints. */
export const lints: readonly Lint[] = lintFamilies.flatMap((family) => family.lints);

/** Lints that need no more of a unit than the lines they are about: all that can be said of a drop-in alone. */
export const fragmentLints: ReadonlySet<Lint> = new Set(
  [syntaxLints, directiveLints, shellSyntaxLints, variableLints, secretLints, calendarLints]
    .flat()
    .filter(({ id }) => id !== "undefined-variable"),
);
