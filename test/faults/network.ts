import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "./rows.ts";

/** The cable is cut at a random moment and put back; the next run asks for the same and gets the receipt of what was done. */
export const networkCut: Row = {
  name: "network cut at a random moment",
  trials: { short: 1, long: 100 },
  async trial(subject, tally) {
    const wanted = subject.next;
    const first = subject.ask(wanted);
    await subject.someMoment();
    await subject.host.cutLink();
    try {
      // The client gives up at once or a little later; the host may be at work, or have its answer under way.
      await sleep(subject.random.between(0, 1500));
      first.hangUp();
      await first.answered;
    } finally {
      await subject.host.restoreLink();
    }
    const receipt = await subject.receipt(wanted);
    const isRepeated = receipt.warnings.some((line) => line.includes("connection was lost before it could tell"));
    // The first client may have got its receipt before the cut, if not its exit status: the host knows that it was received.
    const { stdout } = await first.answered;
    if (receipt.outcome === "unchanged" && !stdout.includes('"actions":[{')) {
      throw new Error('the receipt of what was done is lost: the next run says "unchanged"');
    }
    if (receipt.outcome !== "unchanged" && receipt.actions.length === 0) throw new Error("a receipt without actions");
    tally(
      receipt.outcome === "unchanged"
        ? "first run got its receipt"
        : isRepeated
          ? "receipt of the first run"
          : "attached, or done by the second run",
    );
    await subject.check(wanted);
  },
};
