import fc from "fast-check";
import { unwritableCharacter } from "../../systemd/encodable-text.ts";

/** Texts of any code points. `fc.string({ unit: "binary" })` builds a table of all of them first, which takes 2 s. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x2ff }),
      fc.integer({ min: 0x2000, max: 0x20ff }),
      fc.integer({ min: 0xd7f0, max: 0x10000 }),
      fc.integer({ min: 0, max: 0x10ffff }),
    ),
    { maxLength: 10 },
  )
  .map((codePoints) => String.fromCodePoint(...codePoints));

/** Texts that a systemd file can hold: any, and many of the given pieces, which are the ones with a meaning. */
export function writableText(pieces: readonly string[]): fc.Arbitrary<string> {
  return fc
    .oneof(
      anyText,
      fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((list) => list.join("")),
    )
    .filter((text) => unwritableCharacter(text) === undefined);
}
