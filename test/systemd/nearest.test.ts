import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { didYouMean, editDistance, nearestOf } from "../../systemd/nearest.ts";

const words = ["no", "yes", "full", "strict", "read-only", "on-failure"];

test("the nearest word is the one with the fewest changes, in any case", () => {
  const found = ["stric", "Full", "stirct", "readonly", "on", "onfailure", "STRICT", "ro", "x", "", "something"].map(
    (word) => nearestOf(word, words),
  );
  assert.deepEqual(found, [
    "strict",
    "full",
    "strict",
    "read-only",
    undefined,
    "on-failure",
    "strict",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("the beginning of a word is near to it", () => {
  assert.equal(nearestOf("CAP_NET_BIND", ["CAP_SETGID", "CAP_NET_BIND_SERVICE"]), "CAP_NET_BIND_SERVICE");
  assert.equal(nearestOf("re", words), undefined);
});

test("a suggestion is a clause, or nothing", () => {
  assert.equal(didYouMean("stric", words), '; did you mean "strict"?');
  assert.equal(didYouMean("quux", words), "");
});

test("letters added, left out, changed and swapped with a neighbour count one each", () => {
  const distances = (["ab", "abcd", "axc", "acb", "cab", ""] as const).map((word) => editDistance(word, "abc"));
  assert.deepEqual(distances, [1, 1, 1, 1, 2, 3]);
});

test("the edit distance is the same both ways, and 0 only for the same text", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (one, other) => {
      assert.equal(editDistance(one, other), editDistance(other, one));
      assert.equal(editDistance(one, other) === 0, one === other);
    }),
  );
});
