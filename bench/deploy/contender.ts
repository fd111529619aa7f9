import type { SandboxHost } from "../../sandbox/host.ts";
import type { Cost } from "./timed.ts";
import type { Bundles, Operation, Size } from "./workload.ts";

/** What a contender works on. */
export interface Subject {
  readonly size: Size;
  readonly hosts: readonly SandboxHost[];
  /** What each host must become. */
  readonly bundles: Bundles;
  /** A folder of the contender's own, empty. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/** One way to deploy. */
export interface Contender {
  readonly id: string;
  /** For the table. */
  readonly title: string;
  /** Whether it brings anything to a host: Pulumi's empty run does not. */
  readonly deploys: boolean;
  /** Writes everything that its operations need, before any clock runs. */
  readonly prepared: (subject: Subject) => Promise<Prepared>;
}

/** A contender that is ready. */
export interface Prepared {
  /** Carries one operation out, as a user would. @throws Error with the output when it fails */
  readonly run: (operation: Operation) => Promise<Cost>;
  /** Ends what it left running on this machine, such as connections. Called when all of its operations are done. */
  readonly end: () => Promise<void>;
}
