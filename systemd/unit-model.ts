/**
 * A unit as policies and reviewers read it: every value in the text form that systemd reads; a directive that is
 * assigned once is a string, one that is assigned more than once is a list.
 */
export type UnitModel = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
