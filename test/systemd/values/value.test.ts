import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Directive, directiveBlocks, directiveKinds } from "../../../systemd/directives.ts";
import { mayHoldSecret, valueProblem } from "../../../systemd/values/value.ts";
import { assertAccepted, assertRefused, directiveNamed } from "./value-assertions.ts";

const directives: readonly Directive[] = Object.values(directiveBlocks).flat();

test("every directive has a kind that is known, and every kind has a directive", () => {
  const used = new Set(directives.map(({ kind }) => kind));
  assert.deepEqual([...used].sort(), Object.keys(directiveKinds).sort());
});

test("every directive judges any text without an exception, as a sentence or not at all", () => {
  const pieces = fc.constantFrom(
    "%",
    "%h",
    "~",
    "-",
    "+",
    ":",
    "/",
    "@",
    '"',
    "\\",
    " ",
    "[",
    "]",
    "1",
    "a",
    "..",
    ",",
    "=",
  );
  const text = fc.oneof(fc.string(), fc.string({ unit: pieces }));
  fc.assert(
    fc.property(
      fc.constantFrom(...directives),
      text,
      fc.constantFrom(undefined, 247, 257, 300),
      (directive, value, systemd) => {
        const problem = valueProblem(directive, value, systemd);
        assert.ok(problem === undefined || (problem.length > 10 && !problem.includes("undefined")), problem);
      },
    ),
    { numRuns: 3000 },
  );
});

test("the words of an enum are accepted where the target knows them, and their neighbours are not", () => {
  for (const directive of directives.filter(({ kind }) => kind === "enum")) {
    for (const word of directive.values ?? []) {
      assert.equal(valueProblem(directive, word), undefined, `${directive.name}=${word}`);
      assert.match(valueProblem(directive, `${word}-x`) ?? "", / is not one of /, `${directive.name}=${word}-x`);
    }
  }
});

test("values that are younger than the target are refused with both versions", () => {
  assertRefused("Type", { "notify-reload": '"notify-reload" needs systemd 253, the target has 252' }, 252);
  assertAccepted("Type", ["notify-reload"], 253);
  assertRefused("StandardOutput", { "truncate:/x": '"truncate:/x" needs systemd 248, the target has 247' }, 247);
  assertRefused("RestrictAddressFamilies", { none: '"none" needs systemd 249, the target has 247' }, 247);
  assertRefused("SystemCallFilter", { "@sandbox": '"@sandbox" needs systemd 253, the target has 252' }, 252);
  assertRefused("SuccessExitStatus", { KSM: '"KSM" needs systemd 254, the target has 252' }, 252);
  assertRefused("StateDirectory", { "a:b": '":b" needs systemd 250, the target has 249' }, 249);
  assertRefused("Description", { "%q": "%q needs systemd 251, the host has 249" }, 249);
});

test("words that a systemd newer than the table may know are accepted for such a target only", () => {
  for (const [name, value] of [
    ["Type", "brand-new"],
    ["SystemCallFilter", "brand_new_call"],
    ["Delegate", "bpf-new"],
  ] as const) {
    assert.notEqual(valueProblem(directiveNamed(name), value, 257), undefined, name);
    assert.equal(valueProblem(directiveNamed(name), value, 258), undefined, name);
  }
});

test("the empty value is left to Directive.empty", () => {
  assert.deepEqual(
    directives.filter((directive) => valueProblem(directive, "") !== undefined),
    [],
  );
});

test("secret values are never echoed", () => {
  const secret = "hunter2hunter2";
  const values = [
    `1A=${secret}`,
    `"A=${secret}`,
    secret,
    `A=${secret} ${secret}`,
    `A=${secret}\\d`,
    `${secret}!`,
    `/bin/x "${secret}`,
  ];
  const echoed = directives
    .filter(mayHoldSecret)
    .filter(({ kind }) => kind !== "command")
    .flatMap((directive) => values.map((value) => valueProblem(directive, value) ?? ""))
    .filter((message) => message.includes(secret) && !message.includes("environment variable name"));
  assert.deepEqual(echoed, []);
  assert.doesNotMatch(valueProblem(directiveNamed("ExecStart"), `/bin/x "${secret}`) ?? "", /hunter/);
});

test("OnCalendar takes a calendar expression, and is left to the host where a specifier stands in it", () => {
  assertAccepted("OnCalendar", ["*-*-* 03:00:00", "daily", "%i"]);
  assert.match(valueProblem(directiveNamed("OnCalendar"), "every day") ?? "", /"every day"/);
});

test("Description takes text", () => {
  assertAccepted("Description", ["Orders", "100%%"]);
  assertRefused("Description", {
    "100%X": "%X is no specifier of systemd; write %%X for the two characters %X",
  });
});

test("TCPCongestion takes text; % has no meaning here", () => {
  assertAccepted("TCPCongestion", ["bbr", "%X"]);
});

test("ConditionHost takes text, after an optional | and !", () => {
  assertAccepted("ConditionHost", ["web*", "!x"]);
  assertRefused("ConditionHost", {
    "%X": "%X is no specifier of systemd; write %%X for the two characters %X",
  });
});

test("LogFilterPatterns takes a regular expression, with a leading ~ to drop what matches", () => {
  assertAccepted("LogFilterPatterns", ["~^DEBUG", "100%X"]);
});

test("RootImagePolicy takes an image policy such as root=verity+signed", () => {
  assertAccepted("RootImagePolicy", ["root=verity+signed", "root=signed:swap=absent:=unused+absent", "*", "-"]);
  assertRefused("RootImagePolicy", {
    signed: '"signed" is no image policy; write e.g. "root=verity+signed:swap=absent", or *, - or ~',
  });
});

test("RootImageOptions takes mount options, or words of the form partition:options", () => {
  assertAccepted("RootImageOptions", ["ro,dev", "root:ro"]);
  assertRefused("RootImageOptions", {
    '"ro': '"\\"ro" cannot be split into words: a quote is never closed',
  });
});

test("IgnoreOnSnapshot takes anything; it is ignored", () => {
  assertAccepted("IgnoreOnSnapshot", ["anything"]);
});
