import { commandResult } from "../../setup/command.ts";
import { busySocket } from "./busy-socket.ts";
import * as confirmation from "./confirmation.ts";
import * as disk from "./disk.ts";
import * as kill from "./kill.ts";
import { networkCut } from "./network.ts";
import { randomPairs } from "./pairs.ts";
import { powerCut } from "./power.ts";
import type { Row, RowResult } from "./rows.ts";
import * as together from "./together.ts";
import * as units from "./units.ts";

/** Every row that is made on a host, in the order in which they run. */
export const hostRows: readonly Row[] = [
  networkCut,
  kill.killedAtRandom,
  kill.killedAtEachStep,
  powerCut,
  confirmation.confirmed,
  confirmation.unreachable,
  confirmation.unreachableThenOff,
  together.twoStacks,
  together.sameTwice,
  together.againstItself,
  randomPairs,
  busySocket,
  disk.fullEtc,
  disk.fullVar,
  disk.readOnlyEtc,
  units.hangingStart,
  units.hangingStop,
  units.crashAfterReady,
  units.missingUser,
  kill.failedAtEachStep,
];

/** Mutated bundles, receipts, ledgers and records, fed to the host program on a host that is a directory. */
export async function mutations(trials: number, seed: number): Promise<RowResult> {
  const began = Date.now();
  const { code, stdout, stderr } = await commandResult(
    ["python3", "test/faults/mutations.py", "--trials", String(trials), "--seed", String(seed)],
    { timeoutSec: 1800, env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } },
  );
  const lines = stdout.trimEnd().split("\n");
  const kinds = lines.filter((line) => /: \d+ trials, /.test(line));
  const done = kinds.reduce((sum, line) => sum + Number(/: (\d+) trials/.exec(line)?.[1] ?? 0), 0);
  return {
    name: "mutated bundles, receipts, ledgers and records",
    trials: done,
    failures: code === 0 && done > 0 ? [] : [`${stdout}${stderr}`],
    tally: new Map(kinds.map((line) => [line, 1])),
    seconds: (Date.now() - began) / 1000,
  };
}
