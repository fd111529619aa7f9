/** One `Key=Value` line. The value is what stands behind the `=`, stripped, with continuation lines joined by a space. */
export interface UnitEntry {
  readonly key: string;
  readonly value: string;
}

/** One `[Name]` block. Entries keep their order; repeats and empty (resetting) assignments are kept. */
export interface UnitSection {
  readonly name: string;
  readonly entries: readonly UnitEntry[];
}

/** A unit file or drop-in as an ordered list: order, repeats and resets have a meaning to systemd. */
export interface UnitFile {
  readonly sections: readonly UnitSection[];
}
