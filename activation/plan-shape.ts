/** What becomes of a unit that runs: `restart` is one step of systemd, `stop+start` has the switch between its two halves. */
export type UnitAction = "none" | "reload-manager" | "reload" | "restart" | "stop+start" | "start" | "stop";

/** What becomes of the links of a unit's [Install] section. */
export type UnitEnablement = "none" | "enable" | "disable" | "reenable";

/** Why something happens to a unit. A secret's content is in none of them. */
export type PlanCause =
  /** It was not there before, or is not wanted any more. */
  | { readonly kind: "unit"; readonly change: "new" | "removed" }
  /** A directive of its own; null where it is not assigned. */
  | {
      readonly kind: "directive";
      readonly section: string;
      readonly key: string;
      readonly old: readonly string[] | null;
      readonly new: readonly string[] | null;
      /** What this directive alone would need. */
      readonly needs: "none" | "reload-manager" | "reload" | "restart" | "reenable";
    }
  /** A file beside it that it names in `restartOn` or `reloadOn`. */
  | { readonly kind: "file"; readonly path: string; readonly change: "new" | "changed" | "removed" }
  /** A release that it runs. Archives by their SHA-256. */
  | { readonly kind: "release"; readonly name: string; readonly old: string | null; readonly new: string }
  /** Something else is to start it, or the transaction now is. */
  | { readonly kind: "activation"; readonly old: string; readonly new: string }
  /** What happens to another unit. */
  | {
      readonly kind: "other";
      readonly unit: string;
      /**
       * `socket`: its socket closes, so it cannot run meanwhile; `taken along`: systemd stops or restarts it with that unit;
       * `not up yet`: it becomes bound to that unit, which is not up when systemd reads so; `held`: it could start that unit
       * while that is stopped; `hand-over`: its socket goes to or comes from that unit.
       */
      readonly relation: "socket" | "taken along" | "not up yet" | "held" | "hand-over";
    };

/** What happens to one unit, and why. */
export interface UnitPlan {
  readonly unit: string;
  readonly action: UnitAction;
  readonly enablement: UnitEnablement;
  /**
   * What happens instead if on-demand units are idle: itself, where it is one, or those beside it. null where it is the
   * same. On-demand units may run or not, and only those that run are acted on.
   */
  readonly ifIdle: UnitAction | null;
  /** Whether something else than the transaction decides if it runs. */
  readonly onDemand: boolean;
  readonly causes: readonly PlanCause[];
  /** What a person should know: `a run at work is left to finish; its next run takes the change`. */
  readonly notes: readonly string[];
}

/** An address at which nobody listens for a while, or for good. */
export interface SocketGap {
  /** The socket unit that closes it. */
  readonly socket: string;
  /** As written: `127.0.0.1:8000`. */
  readonly address: string;
  /** The socket unit that listens there afterwards; null for none. */
  readonly reopenedBy: string | null;
}

/** A command of a release that runs once, in a unit of its own. */
export interface PlannedHook {
  readonly kind: "check" | "pre-start" | "post-start";
  /** Unit that it belongs to. */
  readonly unit: string;
  readonly release: string;
  /** As `ExecStart=` has it. */
  readonly command: string;
  /** `release`: that changes; `new`: there was no such hook; `command`: there was another one. */
  readonly why: "release" | "new" | "command";
}

/** One step of the switch. Units in one step are dealt with together; systemd's own After= orders them. */
export interface PlanStep {
  readonly step:
    | PlannedHook["kind"]
    | "write"
    | "stop"
    | "disable"
    | "remove"
    | "enable"
    | "reenable"
    | "daemon-reload"
    | "hand-over"
    | "reload"
    | "restart"
    | "start"
    | "watch";
  /** Names of units; paths for `write` and `remove`. */
  readonly of: readonly string[];
}

/** Everything that one transaction will do, in the order in which it is done. */
export interface TransactionPlan {
  /** What it takes for granted about the host. Where that does not hold, the host does more or less, and says why. */
  readonly assumptions: readonly string[];
  /** Each unit of the old and the new bundle, by name. */
  readonly units: readonly UnitPlan[];
  readonly steps: readonly PlanStep[];
  readonly gaps: readonly SocketGap[];
  /** Accounts that are made, and such that go. */
  readonly accounts: { readonly made: readonly string[]; readonly removed: readonly string[] };
  /** Releases that are unpacked, and those that the host then runs no more, by name. */
  readonly releases: { readonly changed: readonly string[]; readonly removed: readonly string[] };
  /** Hooks that run, in their order: `check` and `pre-start` before the switch, `post-start` after it. */
  readonly hooks: readonly PlannedHook[];
  /** Names of units to which nothing happens: the same processes go on. */
  readonly untouched: readonly string[];
  /** How often systemd reads its units again. */
  readonly daemonReloads: number;
}
