import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "../../activation/bundle.ts";
import { Load, pauseMs } from "../hosts/load.ts";
import { asked, receipt } from "./asking.ts";
import { bundle, unit } from "./bundles.ts";
import type { Row } from "./rows.ts";

const port = 9001;
const restarts = 20;
const requestsPerSec = 200;
const program = "/opt/faults/answering.py";

/** A service behind a socket; `number` only makes it differ, so that it is restarted. */
function busy(number: number): Bundle {
  const source = join(import.meta.dirname, "..", "hosts", "programs", "answering.py");
  return bundle("faults/busy/host", {
    files: [{ path: program, mode: "0644", content: readFileSync(source, "utf8"), secret: false }],
    units: [
      unit(
        "f-busy.service",
        `[Service]\nType=notify\nEnvironment=NUMBER=${number}\nExecStart=/usr/bin/python3 ${program} busy\n[Install]\nWantedBy=multi-user.target\n`,
      ),
      unit("f-busy.socket", `[Socket]\nListenStream=${port}\nBacklog=1024\n[Install]\nWantedBy=sockets.target\n`),
    ],
  });
}

/** Updates of a service behind a socket while clients come at a steady rate: each of them has its answer. */
export const busySocket: Row = {
  name: `socket service restarted ${restarts} times by updates under ${requestsPerSec} requests/s`,
  trials: { short: 0, long: 3 },
  async trial(subject, tally) {
    const { host, current } = subject;
    await receipt(host, busy(0));
    const load = new Load(host, requestsPerSec, port);
    try {
      await load.answersMore(requestsPerSec);
      for (let number = 1; number <= restarts; number += 1) {
        const { actions } = await receipt(host, busy(number));
        if (!actions.some(({ unit, action }) => unit === "f-busy.service" && action === "restart")) {
          throw new Error(`it was not restarted: ${JSON.stringify(actions)}`);
        }
      }
      await load.answersMore(requestsPerSec);
    } finally {
      await load.end();
    }
    const { begun, answered, lost, pids, worstMs } = load;
    const told = [...lost].map(([why, count]) => `${count} ${why}`).join(", ");
    if (lost.size > 0 || answered !== begun) throw new Error(`of ${begun} requests ${answered} were answered: ${told}`);
    if (pids.size !== restarts + 1) throw new Error(`${pids.size} processes answered`);
    tally(`${answered} requests, 0 refused, 0 failed, the slowest ${(worstMs - pauseMs).toFixed(0)} ms`);
    const { code, stdout } = await asked(host, busy(restarts), { operation: "destroy" }).answered;
    if (code !== 0) throw new Error(stdout);
    await subject.check(current);
  },
};
