import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { lintRules } from "../../policies/lint-rules.ts";
import { lintUnitTexts } from "../../systemd/lints/lint-units.ts";
import { lints } from "../../systemd/lints/registry.ts";
import { UnitSyntaxError } from "../../systemd/unit-file.ts";
import { hostResources, reported, serviceResource, unitResource, violations, withUnknown } from "./resource-args.ts";

const corpus = join(import.meta.dirname, "../systemd/lints/corpus");
const rule = (id: string) => {
  const found = lintRules.find(({ name }) => name === id);
  assert.ok(found, id);
  return found;
};

suite("the lints as policies", () => {
  test("are all of them, by their ids, info ones advisory", () => {
    assert.deepEqual(
      lintRules.map(({ name, level }) => [name, level]),
      lints.map(({ id, severity }) => [id, severity === "info" ? "advisory" : "mandatory"]),
    );
  });

  const cases = readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of cases) {
    test(`find in ${name} what lintUnits finds`, () => {
      const units = readdirSync(join(corpus, name)).map((unit) => ({
        name: unit,
        text: readFileSync(join(corpus, name, unit), "utf8"),
      }));
      // A component prints the canonical form, so what only a raw text can have is not there.
      const isInText = ["syntax-error", "ignored-line", "broken-continuation", "unit-name"];
      const expected = lintUnitTexts(units, { complete: true, now: new Date() })
        .filter(({ rule: id }) => !isInText.includes(id))
        .map(({ rule: id, unit, message }) => `${id} ${unit} ${message}`);
      const texts = Object.fromEntries(units.map(({ name: unit, text }) => [unit, text]));
      const resources = units.map(({ name: unit, text }) => unitResource(unit, text));
      const found = reported(lintRules, [...resources, ...hostResources("web1", texts)])
        .filter(({ policy, message }) => !isInText.includes(policy) && !message.includes("systemd refuses the unit"))
        .map(({ policy, message }) => `${policy} ${message}`);
      for (const line of expected) {
        const [id, unit, ...message] = line.split(" ");
        assert.ok(
          found.some((one) => one.startsWith(`${id} ${unit}: `) && one.includes(message.join(" "))),
          `${line}\n${found.join("\n")}`,
        );
      }
      const known = new Set(expected.map((line) => line.split(" ").slice(0, 2).join(" ")));
      // Alone, a unit may also miss what its neighbours have: that is the same finding as lint makes of one file.
      const alone = units.flatMap((unit) => {
        try {
          return lintUnitTexts([unit], { now: new Date() });
        } catch (error) {
          if (error instanceof UnitSyntaxError) return [];
          throw error;
        }
      });
      for (const { rule: id, unit } of alone) known.add(`${id} ${unit}`);
      assert.deepEqual(
        found.filter((one) => !known.has(one.split(" ").slice(0, 2).join(" ").replace(/:$/, ""))),
        [],
      );
    });
  }

  test("name the place once, and say what to do", () => {
    const resource = unitResource("api.service", "[Service]\nExecStart=/usr/bin/api | tee log\n");
    assert.deepEqual(violations(rule("shell-syntax"), resource), [
      'api.service: [Service] ExecStart: "|" is an argument of /usr/bin/api, no shell looks at it. Write ExecStart=/bin/sh -c "..." with the whole script in quotes, or use several ExecStartPre= and StandardOutput=append:FILE.',
    ]);
  });

  test("name no place where there is none, and are findings where they only advise", () => {
    const text = "[Service]\nExecStart=/usr/bin/api\n";
    const one = (id: string) => violations(rule(id), unitResource("api.service", text));
    assert.deepEqual(one("no-description"), [
      "api.service: there is no Description=. Write Description= in [Unit], a short noun phrase.",
    ]);
    assert.deepEqual(one("no-install"), [
      "api.service: there is no [Install] section, and no given unit starts this one. Write [Install] with WantedBy=multi-user.target (timers.target, sockets.target), unless another unit starts it.",
    ]);
  });

  test("know the day, and note what they cannot be sure of", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T00:00:00Z") });
    const timer = (line: string) => unitResource("a.timer", `[Timer]\n${line}\n`);
    assert.deepEqual(violations(rule("calendar-past"), timer("OnCalendar=2027-02-28")), [
      "a.timer: [Timer] OnCalendar=2027-02-28 is over. Write a time to come, or remove the timer.",
    ]);
    assert.deepEqual(violations(rule("calendar-past"), timer("OnCalendar=2027-03-02")), []);
    const [gap = ""] = violations(rule("calendar-dst-gap"), timer("OnCalendar=02:30"));
    assert.match(gap, /^\[advisory\] a\.timer: \[Timer\] OnCalendar=02:30: on a host in a zone with summer time, /);
  });

  test("say which framework asks for the same", () => {
    const asked = lintRules.filter(({ framework }) => framework !== undefined);
    assert.deepEqual(
      asked.map(({ name, framework, severity }) => [name, framework?.reference, severity]),
      [
        ["secret-in-environment", "IA-5(7)", "critical"],
        ["secret-in-command", "IA-5(7)", "critical"],
        ["secret-in-set-credential", "IA-5(7)", "critical"],
        ["root-runs-user-writable-path", "AC-6", "high"],
      ],
    );
  });

  test("are explained on their own page, and look at each unit once", () => {
    assert.deepEqual(new Set(lintRules.map(({ page }) => page)), new Set(["docs/lints.md"]));
    const sent = hostResources("w", { "api.service": "[Service]\nExecStart=/usr/bin/api | tee other\n" });
    const registered = unitResource("api.service", "[Service]\nExecStart=/usr/bin/api | tee log\n");
    assert.equal(violations(rule("shell-syntax"), registered, ...sent).length, 1);
  });

  test("look at each host by itself", () => {
    const timer = "[Unit]\nDescription=x\n[Timer]\nOnCalendar=daily\nUnit=gone.service\n";
    const service = "[Service]\nExecStart=/bin/true\n";
    const units = { "a.timer": timer, "gone.service": service };
    const resources = [
      ...Object.entries({ ...units, "other.service": service }).map(([name, text]) => unitResource(name, text)),
      ...hostResources("w1", units),
      ...hostResources("w2", { "a.timer": timer }),
      ...hostResources("w3", units),
      ...hostResources("w4", { "a.timer": timer, "other.service": service }),
    ];
    assert.equal(violations(rule("activated-unit-missing"), ...resources).length, 2);
  });

  test("never show a secret", () => {
    const resource = unitResource(
      "api.service",
      "[Service]\nExecStart=/usr/bin/api\nEnvironment=DB_PASSWORD=hunter2hunter2\n",
    );
    const [message = ""] = violations(rule("secret-in-environment"), resource);
    assert.match(message, /DB_PASSWORD/);
    assert.doesNotMatch(message, /hunter2/);
  });

  test("find across units what one unit cannot show, once, under the unit's name and with its waivers", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T00:00:00Z") });
    const timer =
      "[Unit]\nDescription=x\n[Timer]\nOnCalendar=daily\nUnit=gone.service\n[Install]\nWantedBy=timers.target\n";
    const waive = [{ policy: "activated-unit-missing", reason: "comes with the image", until: "2027-03-31" }];
    const of = (props: object) =>
      violations(
        rule("activated-unit-missing"),
        unitResource("a.timer", timer, props),
        ...hostResources("w", { "a.timer": timer }),
      );
    const refusal =
      "a.timer: [Timer] Unit: it starts gone.service, which is none of the given units. Deploy the service as well, or write its name with Unit= (in a socket Service=).";
    assert.deepEqual(of({}), [refusal]);
    assert.deepEqual(of({ waive }), [
      `[advisory] waived until 2027-03-31 (30 days left, comes with the image): ${refusal}`,
    ]);
  });

  test("wait for a directive that they need and that is not known", () => {
    const service = withUnknown({ ExecStart: "/usr/bin/api" }, "Environment");
    const resource = { ...serviceResource({}), props: { sections: { Service: service } } };
    assert.deepEqual(violations(rule("secret-in-environment"), resource), []);
    assert.deepEqual(violations(rule("no-exec-start"), resource), []);
  });
});
