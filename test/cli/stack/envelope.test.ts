import assert from "node:assert/strict";
import { test } from "node:test";
import { opened, unknownValue } from "../../../cli/stack/envelope.ts";

const mark = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [mark]: "1b47061264138c4ac30d75fd1eb44270", value });
const output = (fields: object) => ({ [mark]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...fields });

test("plain values stay as they are", () => {
  const value = { a: [1, "b", null, true], c: { d: "e" } };
  assert.deepEqual(opened(value), { value, unknown: [], secret: [] });
});

test("secrets and unknowns are told by their paths, however they are wrapped", () => {
  const properties = {
    plain: 1,
    key: secret("k"),
    list: ["a", unknownValue],
    deep: { host: secret(unknownValue), port: output({ value: 22 }), late: output({ secret: true }) },
  };
  assert.deepEqual(opened(properties), {
    value: { plain: 1, key: "k", list: ["a", undefined], deep: { port: 22 } },
    unknown: ["list[1]", "deep.host", "deep.late"],
    secret: ["key", "deep.host", "deep.late"],
  });
});
