/** A directive's value as a person writes it: a scalar, or a list for a directive that is assigned more than once. */
export type DirectiveValue = string | number | boolean | readonly (string | number | boolean)[];

/** Directives of one section by their exact systemd name, in the order in which they are written. */
export type SectionDirectives = Readonly<Record<string, DirectiveValue | undefined>>;

/** A unit by section: `{ Unit: { Description: "x" }, Service: { ExecStart: ["/bin/true"] } }`. */
export type UnitSections = Readonly<Record<string, SectionDirectives | undefined>>;

/**
 * A unit as policies and reviewers read it: every value in the text form that systemd reads; a directive that is
 * assigned once is a string, one that is assigned more than once is a list.
 */
export type UnitModel = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
