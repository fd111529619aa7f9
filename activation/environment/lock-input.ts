/** One file of a lock, as the host's installer gets it. */
export interface LockInput {
  /** Relative path; the first input is the one that is installed from. */
  readonly path: string;
  readonly content: string;
}
