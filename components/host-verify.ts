/** When an update asks the machine itself although nothing in the program has changed. */
export const HostVerify = {
  /** Never: no host is contacted for nothing. */
  Changes: "changes",
  /** Every preview and update looks at the host, which changes nothing, and plans the repair of what differs. */
  Drift: "drift",
  /** Every update runs the transaction, which repairs what differs. */
  Always: "always",
} as const;
export type HostVerify = (typeof HostVerify)[keyof typeof HostVerify];
