import { assignedTexts } from "../systemd/sections.ts";
import { parseUnitFile, unitModel } from "../systemd/unit-file.ts";
import type { Bundle, BundleHook } from "./bundle.ts";
import type { PlannedHook, PlanStep } from "./plan-shape.ts";

/**
 * The hooks of releases that will run, in the order in which they do.
 * @param changed releases that change, by name
 */
export function plannedHooks(
  old: Bundle | undefined,
  next: Bundle,
  changed: ReadonlyMap<string, unknown>,
): PlannedHook[] {
  const directory = (bundle: Bundle | undefined, name: string) =>
    bundle?.releases.find((release) => release.name === name)?.directory;
  return inOrder.flatMap((kind) =>
    next.hooks
      .filter((hook) => hook.kind === kind)
      .flatMap((hook): PlannedHook[] => {
        const { release, unit } = hook;
        const ran = old?.hooks.find((each) => each.kind === kind && each.unit === unit && each.release === release);
        const isNew = directory(old, release) !== directory(next, release) || ran?.digest !== hook.digest;
        if (!isNew && !(changed.has(release) && kind !== "pre-start")) return [];
        const why = changed.has(release) ? "release" : ran === undefined ? "new" : "command";
        return [{ kind, unit, release, command: commandOf(hook), why }];
      }),
  );
}

const inOrder = ["check", "pre-start", "post-start"] as const;

/** The hooks of some kinds as steps of the plan. */
export function hookSteps(hooks: readonly PlannedHook[], kinds: readonly PlannedHook["kind"][]): PlanStep[] {
  return kinds
    .map((step) => ({ step, of: hooks.filter(({ kind }) => kind === step).map(({ unit }) => unit) }))
    .filter(({ of }) => of.length > 0);
}

function commandOf({ content }: BundleHook): string {
  return assignedTexts(unitModel(parseUnitFile(content)).Service?.ExecStart).join(" ; ");
}
