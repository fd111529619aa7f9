import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { withUnknownInputs } from "../../policies/unknown-inputs.ts";
import { reading } from "../../policies/unknown-values.ts";

/** What can be read of a value; `?` where it is not known. */
function readable(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value).map((key) => {
    const { isKnown, value: part } = reading(() => Reflect.get(value, key));
    return [key, isKnown ? readable(part) : "?"];
  });
  return Array.isArray(value) ? keys.map(([, part]) => part) : Object.fromEntries(keys);
}

suite("inputs with what is not known", () => {
  const inputs = { text: "x", none: null, sections: { Service: { User: "a", Environment: ["A=1", "B=2"] } }, list: [] };
  const cases: [unknown: string[], readable: unknown][] = [
    [[], inputs],
    [["text"], { ...inputs, text: "?" }],
    [["stdin"], { ...inputs, stdin: "?" }],
    [["sections"], { ...inputs, sections: "?" }],
    [["sections.Service"], { ...inputs, sections: { Service: "?" } }],
    [["sections.Timer"], { ...inputs, sections: { ...inputs.sections, Timer: "?" } }],
    [
      ["sections.Service.User", "sections.Service.Group"],
      { ...inputs, sections: { Service: { ...inputs.sections.Service, User: "?", Group: "?" } } },
    ],
    [
      ["sections.Service.Environment[1]"],
      { ...inputs, sections: { Service: { ...inputs.sections.Service, Environment: ["A=1", "?"] } } },
    ],
    [["other.Service.User", "other[0]", "sectionsX", ""], { ...inputs, sectionsX: "?" }],
  ];
  for (const [unknown, expected] of cases) {
    test(JSON.stringify(unknown), () => assert.deepEqual(readable(withUnknownInputs(inputs, unknown)), expected));
  }

  test("says what it is", () => {
    const props = withUnknownInputs({ sections: { Service: {} } }, ["sections.Service.User"]);
    const { Service } = props.sections as { Service: { User?: string } };
    assert.throws(() => Service.User, { message: "sections.Service.User is not known before the update" });
  });
});
