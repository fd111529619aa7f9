import type { Receipt } from "../activation/receipt.ts";

/** What was done to one unit in a transaction. */
export interface HostAction {
  /** File name of the unit. */
  unit: string;
  /** `start`, `stop`, `restart`, `reload`, `enable`, `disable`, `reenable`, `remove`, `adopt`, `restore` or `none`. */
  action: string;
  /** Why, in short phrases. */
  reasons: string[];
}

/** One managed unit as systemd showed it at the end of a transaction. */
export interface HostUnit {
  /** File name of the unit. */
  name: string;
  /** `ActiveState` of systemd: `active`, `inactive`, `failed`. */
  activeState: string;
  /** `SubState` of systemd: `running`, `waiting`, `dead`. */
  subState: string;
  /** `Result` of its last run: `success`, `exit-code`, `watchdog`. */
  result: string;
  /** `UnitFileState` of systemd: `enabled`, `static`. */
  unitFileState: string;
  /** Name of its present run; it changes with every start. Empty when it does not run. */
  invocationId: string;
}

/** What the host's own probes of one service met while it changed over to a new process. */
export interface HostSwap {
  /** File name of the service. */
  unit: string;
  /** What was asked: a URL of its health gate, or where its socket listens. */
  address: string;
  /** `request`: a GET with its answer; `connection`: opened, and closed by the service. */
  kind: string;
  /** How many there were. */
  made: number;
  /** How many found nobody listening. */
  refused: number;
  /** How many were reset, closed without an answer, answered wrongly, or not answered within 10 s. */
  failed: number;
  /** The longest wait of those that were answered, in milliseconds. */
  worstMs: number;
  /** Why some failed, each reason once. */
  problems: string[];
}

/** What the last transaction on a host did. No secret is in it, nor a digest of one. */
export interface HostReceipt {
  /** Counts the states that this stack's Host has had on the machine, from 1. */
  generation: number;
  /** Name of the transaction, unique on the machine. */
  transaction: string;
  /** `applied` or `unchanged`. */
  outcome: string;
  /** Major version of systemd. */
  systemd: number;
  /** The machine's own name. */
  hostname: string;
  /** How often systemd read its units anew. */
  daemonReloads: number;
  /** What was done, in order. */
  actions: HostAction[];
  /** All units of this Host. */
  units: HostUnit[];
  /** What clients met while services changed over, as far as the host could ask. */
  swaps: HostSwap[];
  /** What a person should know although the transaction went well. */
  warnings: string[];
}

/** A receipt as the package gives it out: plain types that every language of Pulumi has. */
export function hostReceipt({ format: _format, scope: _scope, ...receipt }: Receipt): HostReceipt {
  return receipt;
}
