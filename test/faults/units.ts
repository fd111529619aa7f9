import type { Bundle } from "../../activation/bundle.ts";
import type { DefinedUnit } from "../../components/definition.ts";
import { asked } from "./asking.ts";
import { newBundleWith, sleeper, unit } from "./bundles.ts";
import type { Row } from "./rows.ts";

/** The new state with one unit that cannot be what it should: the host goes back to the old one, and says why. */
function badUnit(
  name: string,
  bad: DefinedUnit,
  told: RegExp,
  { short = 0, bounds = {} }: { short?: number; bounds?: Partial<Bundle["bounds"]> } = {},
): Row {
  return {
    name,
    trials: { short, long: 3 },
    async trial(subject) {
      await subject.bringTo("old");
      const { code, stdout } = await asked(subject.host, newBundleWith({ units: [bad] }, bounds)).answered;
      if (code === 0) throw new Error("it says that the unit is up");
      if (!told.test(stdout)) throw new Error(`the failure does not tell its reason: ${stdout}`);
      await subject.check("old");
    },
  };
}

export const hangingStart = badUnit(
  "hanging ExecStart",
  unit("f-bad.service", "[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=/bin/sleep infinity\n"),
  /f-bad\.service.* not ready in time/,
  { short: 1, bounds: { waitSec: 3 } },
);

export const crashAfterReady = badUnit(
  "crash 3 s after it was ready",
  unit(
    "f-bad.service",
    '[Service]\nType=notify\nNotifyAccess=all\nRestart=always\nExecStart=/bin/sh -c "systemd-notify --ready; sleep 3; exit 3"\n',
    { settleSec: 5 },
  ),
  /f-bad\.service did not stay up/,
);

export const missingUser = badUnit(
  "unit of a user that is missing",
  unit("f-bad.service", sleeper("bad", "7", { service: "User=f-nobody-here\n" }), { settleSec: 1 }),
  /217\/USER/,
);

/** A unit whose ExecStop= hangs is changed, and then goes: both must end in their time. */
export const hangingStop: Row = {
  name: "hanging ExecStop",
  trials: { short: 0, long: 3 },
  async trial(subject, tally) {
    await subject.bringTo("old");
    const service = "ExecStop=/bin/sleep infinity\nTimeoutStopSec=infinity\n";
    const stuck = (version: string) =>
      newBundleWith({ units: [unit("f-stuck.service", sleeper("stuck", version, { service }))] }, { waitSec: 3 });
    const first = await asked(subject.host, stuck("1")).answered;
    if (first.code !== 0) throw new Error(first.stdout);
    const { code, stdout } = await asked(subject.host, stuck("2")).answered;
    const running = await subject.host.output(
      "tr '\\0' ' ' </proc/$(systemctl show --value --property=MainPID f-stuck.service)/cmdline",
    );
    const found = /infinity ([12])/.exec(running)?.[1];
    if (found !== (code === 0 ? "2" : "1")) throw new Error(`after exit status ${code} it runs ${running}: ${stdout}`);
    tally(code === 0 ? "changed in time" : "back on the one before");
    const ended = await asked(subject.host, newBundleWith({}, { waitSec: 3 })).answered;
    if (ended.code !== 0) throw new Error(`it does not go: ${ended.stdout}`);
    await subject.check("new");
    await subject.bringTo("old");
  },
};
