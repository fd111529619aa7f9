import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { reviewedHistory } from "../review/changes.ts";
import { type ReviewedHost, reviewedHost } from "../review/reviewed-host.ts";

const { start, changes } = reviewedHistory();

/** A few of the changes; `npm run test:review` runs all. */
suite("what the review says of a change is what the host then does", { timeout: 400_000 }, () => {
  let host: ReviewedHost;
  before(async () => {
    host = await reviewedHost(start);
  });
  after(() => host?.down());

  for (const change of changes.filter(({ lean }) => lean)) {
    test(change.change, async () => {
      const { said, happened } = await host.changed(change);
      assert.deepEqual(happened, said);
    });
  }
});
