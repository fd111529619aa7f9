/** Why a host could not be asked, for programs. */
export type SshProblem =
  | "name"
  | "refused"
  | "unreachable"
  | "timeout"
  | "host-key"
  | "private-key"
  | "login"
  | "closed";

/** A host that could not be asked over SSH. The message says which server, what happened, and what to do. No secret is in it. */
export class SshError extends Error {
  override readonly name = "SshError";
  readonly problem: SshProblem;

  constructor(problem: SshProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
