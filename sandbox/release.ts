/** A Debian release that a sandbox host can be: systemd 247, 252 and 257. */
export type DebianRelease = (typeof debianReleases)[number];

/** The releases that sandbox hosts come in, oldest first. */
export const debianReleases = ["bullseye", "bookworm", "trixie"] as const;

/** The major version of systemd in a release. */
export const systemdVersion: Readonly<Record<DebianRelease, number>> = { bullseye: 247, bookworm: 252, trixie: 257 };

/** Whether `text` names a release that sandbox hosts come in. */
export function isDebianRelease(text: string): text is DebianRelease {
  return debianReleases.some((release) => release === text);
}
