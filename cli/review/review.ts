import { writeFileSync } from "node:fs";
import { z } from "zod";
import type { Bundle } from "../../activation/bundle.ts";
import { PackConfigError } from "../../policies/stack-verdicts.ts";
import { waiverDaysLeft } from "../../systemd/lints/waiver.ts";
import { type HostDrift, hostDrifts } from "../drift.ts";
import { secretPlaceholder } from "../render/host-files.ts";
import { plannedTimers } from "../schedule/planned-timer.ts";
import { scheduleNotes } from "../schedule/schedule-notes.ts";
import { weekPicture } from "../schedule/week-picture.ts";
import type { StackHosts } from "../stack/stack-hosts.ts";
import { workingStack } from "../stack/working-stack.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../unit-source.ts";
import { acceptedChanges, acceptedScores } from "./exposure-baseline.ts";
import { hostChanges } from "./host-change.ts";
import { reviewHtml } from "./html.ts";
import { reviewMarkdown } from "./markdown.ts";
import { type PackSettings, packFolder, packSettings, withBaseline } from "./pack-settings.ts";
import { hostVerdicts, isRefusal, reviewedPolicies } from "./policy-verdicts.ts";
import { type Judge, type JudgedStack, type ReviewBase, reviewBase } from "./review-base.ts";
import type { ReviewedWaiver, ReviewReport } from "./review-report.ts";

/** Options of `pulumi-systemd review`. */
export interface ReviewOptions {
  readonly stack: string;
  readonly cwd: string;
  readonly configFile?: string;
  /** A revision of git, or what `render` wrote: a folder, or a file of its JSON. */
  readonly base: string;
  /** File for the Markdown; without any file it is printed. */
  readonly markdown?: string;
  /** File for the HTML page. */
  readonly html?: string;
  /** A file for `--policy-pack-config`: the levels and limits of the policies. Without it each is advisory. */
  readonly policyPackConfig?: string;
  /** Folder of the pack, where paths in that file begin. Default: where the file lies. */
  readonly policyPack?: string;
  /** What ends with exit status 1: a finding that refuses the change, or any that no waiver or exception covers. */
  readonly failOn?: "mandatory" | "advisory";
  /** Whether the hosts are asked how they differ from what was applied to them. It logs in, and reads the stack's secrets. */
  readonly drift?: boolean;
  readonly timezone: string;
  /** The present, for timers and waivers. Default: now. */
  readonly now?: Date;
  readonly json?: boolean;
}

/**
 * One report of what a change of a stack's program brings to each host: the diff of each unit, what happens to it and why,
 * what stays untouched. No engine runs. No host is asked and no secret is read, unless drift is asked for.
 * @returns the exit status
 * @throws UsageError when one of the two programs fails, or the base is neither a revision nor what `render` wrote
 */
export async function review(options: ReviewOptions, terminal: Terminal): Promise<number> {
  const { stack, cwd: folder, configFile, timezone: timeZone, now = new Date() } = options;
  const settings = packSettings(options.policyPackConfig, options.policyPack ?? packFolder(options.policyPackConfig));
  if (options.failOn === "mandatory" && settings.file === null) {
    throw new UsageError("--fail-on mandatory needs --policy-pack-config: without it every policy is advisory");
  }
  const judge = judgeBy(settings, now);
  const [base, next, drift] = await Promise.all([
    reviewBase(options.base, { folder, stack, configFile }, judge),
    workingStack({ folder, stack, configFile, secretMarks: true }),
    options.drift === true ? drifted({ folder, stack, configFile }) : null,
  ]);
  const report = reviewReport({ base, next, judged: judge(next, (path) => path), settings, drift, now, timeZone });
  if (options.markdown !== undefined) writeFileSync(options.markdown, reviewMarkdown(report));
  if (options.html !== undefined) {
    const week = report.timers.length > 0 ? weekPicture(report.timers, now, timeZone) : "";
    writeFileSync(options.html, reviewHtml(report, week));
  }
  if (options.json === true) terminal.print(JSON.stringify(report, null, 2));
  else if (options.markdown === undefined && options.html === undefined) {
    terminal.print(reviewMarkdown(report, Number.POSITIVE_INFINITY).trimEnd());
  }
  return hasFailed(report, options.failOn) ? 1 : 0;
}

/** Hosts that are asked at once. */
const parallelLooks = 16;

/** How the hosts differ from what was applied there. What the change itself brings is no drift. */
async function drifted(program: { folder: string; stack: string; configFile: string | undefined }) {
  const { hosts } = await workingStack({ ...program, secrets: true, state: true });
  const looked = await hostDrifts(hosts, parallelLooks);
  return looked.map(({ report, ...host }) =>
    report === undefined ? host : { ...host, report: { ...report, undeployed: [] } },
  );
}

function judgeBy(settings: PackSettings, now: Date): Judge {
  return (stack, fileAt) => {
    const path = settings.baseline === undefined ? undefined : fileAt(settings.baseline);
    try {
      const verdicts = hostVerdicts(stack, withBaseline(settings, path), now);
      return { verdicts, accepted: acceptedScores(path, stack.stack) };
    } catch (error) {
      if (error instanceof PackConfigError) throw new UsageError(`${settings.file}: ${error.message}`);
      throw error;
    }
  };
}

function hasFailed({ policies }: ReviewReport, failOn: ReviewOptions["failOn"]): boolean {
  if (failOn === undefined) return false;
  return policies.verdicts.some((verdict) => isRefusal(verdict) || (failOn === "advisory" && verdict.passes === null));
}

/** What a report is made of. */
export interface ReviewParts {
  readonly base: ReviewBase;
  readonly next: StackHosts;
  readonly judged: JudgedStack;
  readonly settings: PackSettings;
  readonly drift: readonly HostDrift[] | null;
  readonly now: Date;
  readonly timeZone: string;
}

/** The report, from two descriptions of a stack. */
export function reviewReport({ base, next, judged, settings, drift, now, timeZone }: ReviewParts): ReviewReport {
  const known = next.hosts.filter(({ bundle }) => bundle !== undefined);
  const isRendered = base.stack === undefined && base.bundles.size > 0;
  const after = new Map(known.map(({ name, bundle }) => [name, isRendered ? withoutSecrets(bundle) : bundle]));
  const unknown = next.hosts.filter(({ bundle }) => bundle === undefined);
  const names = [...new Set([...base.bundles.keys(), ...after.keys()])].filter(
    (name) => !unknown.some((host) => host.name === name),
  );
  const hosts = hostChanges(
    names.sort().map((host) => ({ host, before: base.bundles.get(host), after: after.get(host) })),
  );
  const changed = new Map(hosts.flatMap((change) => change.hosts.map((host) => [host, change] as const)));
  const touched = known.map((host) => ({
    ...host,
    units: host.units.filter(({ name }) =>
      changed.get(host.name)?.units.some(({ unit, diff }) => unit === name && diff !== "" && name.endsWith(".timer")),
    ),
  }));
  const timers = plannedTimers(touched, { from: now, timeZone, count: 3 });
  return {
    project: next.project,
    stack: next.stack,
    base: base.name,
    hosts,
    unknown: unknown.map(({ name, unknown: parts }) => ({ host: name, parts })),
    policies: reviewedPolicies(base.judged?.verdicts, judged.verdicts, settings.file),
    acceptedExposures: base.judged === undefined ? [] : acceptedChanges(base.judged.accepted, judged.accepted),
    waivers: waivers(base.stack, next, now),
    drift,
    timers,
    scheduleNotes: scheduleNotes(timers),
    notes: [...base.notes, ...next.notes],
  };
}

/** A bundle as `render` gives it again, to be compared with one that it wrote. */
function withoutSecrets(bundle: Bundle | undefined): Bundle | undefined {
  if (bundle === undefined) return undefined;
  return {
    ...bundle,
    files: bundle.files.map((file) => (file.secret ? { ...file, content: secretPlaceholder } : file)),
  };
}

const waived = z.looseObject({
  waive: z.array(z.object({ policy: z.string(), reason: z.string(), until: z.string() })).optional(),
});

function waivers(before: StackHosts | undefined, after: StackHosts, now: Date): ReviewedWaiver[] {
  const known = new Set(before === undefined ? [] : declaredWaivers(before).map((waiver) => JSON.stringify(waiver)));
  return declaredWaivers(after).map((waiver) => ({
    ...waiver,
    daysLeft: waiverDaysLeft(waiver, now),
    isNew: !known.has(JSON.stringify(waiver)),
  }));
}

function declaredWaivers({ components }: StackHosts) {
  return components
    .filter(({ type }) => type === "systemd:index:Unit" || type === "systemd:index:Host")
    .flatMap(({ name, inputs }) => (waived.parse(inputs).waive ?? []).map((waiver) => ({ on: name, ...waiver })));
}
