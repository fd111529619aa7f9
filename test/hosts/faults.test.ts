import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bootedHost } from "../../sandbox/host.ts";
import { hostRows, mutations } from "../faults/all-rows.ts";
import { ranRow } from "../faults/rows.ts";
import { Seeded } from "../faults/seeded.ts";
import { Subject } from "../faults/subject.ts";

/** The same choices in each run; the long form draws its own. `npm run test:faults -- --short --seed N` repeats them. */
const seed = 20261121;

/** The short form of `npm run test:faults`, on one host; the long form is for a release. */
suite(`faults while a host is changed (seed ${seed})`, { timeout: 900_000 }, () => {
  test("mutated input is refused with a message, and nothing is written", async () => {
    assert.deepEqual((await mutations(300, seed)).failures, []);
  });

  test("after each fault the whole host is in exactly one of two states, and destroy leaves it as it was", async (context) => {
    const host = await bootedHost({ release: "bookworm" });
    try {
      const subject = await Subject.prepared(host, new Seeded(seed), true);
      for (const row of hostRows.filter(({ trials }) => trials.short > 0)) {
        await context.test(row.name, async (own) => {
          const { failures, tally } = await ranRow(row, subject, [...Array(row.trials.short).keys()]);
          own.diagnostic([...tally].map(([what, count]) => `${count} ${what}`).join(", "));
          assert.deepEqual(failures, []);
        });
      }
      await context.test("destroy leaves the host as it was", () => subject.ended());
    } finally {
      await host.down();
    }
  });
});
