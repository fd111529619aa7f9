import type { Finding } from "./finding.ts";

/** What is known of how a host is reached. */
export interface HostIdentity {
  /** Whether the public key of the host, and of a jump host before it, is given. */
  readonly hostKeyPinned: boolean;
  /** Why the key is not checked, in the words of whoever wrote it. */
  readonly insecureSkipHostKey?: string | undefined;
}

/** A host that anybody on the way to it could pose as. */
export function hostKeyFindings({ hostKeyPinned, insecureSkipHostKey }: HostIdentity): readonly Finding[] {
  if (hostKeyPinned) return [];
  const reason =
    insecureSkipHostKey === undefined ? "" : ` (insecureSkipHostKey: ${JSON.stringify(insecureSkipHostKey)})`;
  return [
    {
      found: `the host's key is not pinned${reason}`,
      wanted: "connection.hostKey, and the jump host's where there is one",
      why: "whoever poses as this host gets its secrets",
    },
  ];
}
