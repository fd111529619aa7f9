/** A source that cannot become a release. The message names it, says why, and what to do. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}
