import type { PlanCause, PlannedHook } from "../../activation/plan.ts";

/** A cause of an action as a short phrase: `WatchdogSec= 30s -> 60s`, `/etc/orders/api.env changed`. */
export function causeText(cause: PlanCause): string {
  switch (cause.kind) {
    case "unit":
      return cause.change;
    case "directive":
      return `${cause.key}= ${valueText(cause.old)} \u2192 ${valueText(cause.new)}`;
    case "file":
      return `${cause.path} ${cause.change}`;
    case "release":
      return `release ${cause.name} ${cause.old === null ? "is new" : "changed"}`;
    case "activation":
      return `activation ${cause.old} \u2192 ${cause.new}`;
    case "other":
      return `${cause.unit} ${relations[cause.relation]}`;
  }
}

/** What runs once, and why: `pre-start of api.service runs, because its command changed`. */
export function hookText({ kind, unit, release, why }: PlannedHook): string {
  const reason = { release: `release ${release} changes`, new: "it is new", command: "its command changed" }[why];
  return `${kind} of ${unit} runs, because ${reason}`;
}

const relations = {
  socket: "closes meanwhile",
  "taken along": "takes it along",
  "not up yet": "is not up yet when it becomes bound to it",
  held: "is changed meanwhile",
  "hand-over": "hands its socket over",
} as const;

function valueText(values: readonly string[] | null): string {
  if (values === null) return "not set";
  const text = values.join(" ; ");
  return text.length > 60 ? `${text.slice(0, 59)}\u2026` : text;
}

function actionWord(action: string): string {
  return action === "none" ? "" : action === "reload-manager" ? "daemon-reload only" : action;
}

/** What happens to a unit, in words: `restart`, `start, enable`. */
export function actionText({
  action,
  enablement,
  ifIdle,
  onDemand,
}: {
  action: string;
  enablement: string;
  ifIdle: string | null;
  onDemand: boolean;
}): string {
  const words = [actionWord(action), enablement === "none" ? "" : enablement].filter((word) => word !== "");
  const said = words.length > 0 ? words.join(", ") : "nothing";
  if (ifIdle === null) return said;
  return `${said} (${actionWord(ifIdle) || "nothing"} if ${onDemand ? "it" : "an on-demand unit beside it"} is idle)`;
}
