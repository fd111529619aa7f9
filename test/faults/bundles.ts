import type { Bundle } from "../../activation/bundle.ts";
import type { DefinedFile, DefinedUnit, DefinedUser } from "../../components/definition.ts";
import { hostBundle } from "../../components/host-bundle.ts";

/** A unit as short as can be: everything that is not said is as the components' defaults have it. */
export function unit(name: string, text: string, more: Partial<DefinedUnit> = {}): DefinedUnit {
  return {
    name,
    text,
    activation: "started",
    restartOnFiles: [],
    restartOnReleases: [],
    triggeredBy: [],
    onChange: "auto",
    settleSec: 0,
    waive: [],
    ...more,
  };
}

/** A service that sleeps, and tells its version in its command line. */
export function sleeper(name: string, version: string, more: { service?: string; unit?: string } = {}): string {
  return `[Unit]\nDescription=${name}\n${more.unit ?? ""}[Service]\nExecStart=/bin/sleep infinity ${version}\n${more.service ?? ""}[Install]\nWantedBy=multi-user.target\n`;
}

/** What a bundle is made of. */
export interface Parts {
  units: DefinedUnit[];
  files?: DefinedFile[];
  users?: DefinedUser[];
}

/** A bundle of these parts. Bounds are short, so that a trial that hangs ends. */
export function bundle(scope: string, parts: Parts, bounds: Partial<Bundle["bounds"]> = {}): Bundle {
  return hostBundle(scope, [{ files: [], users: [], releases: [], ...parts }], {
    transactionSec: 60,
    waitSec: 20,
    confirmSec: 0,
    ...bounds,
  });
}

export const scope = "faults/test/host";

/** Numbers that `/bin/sleep` adds up: they make a command line of a version. */
const older = "1";
const newer = "2";

/**
 * Two states of one scope that differ in every way in which a transaction can change a host: a changed secret and its
 * service, a changed unit, one that goes and one that comes, an account, a socket and a timer that change, files and
 * folders that come and go. `same.service` is in both: nothing may ever touch it.
 */
const oldParts: Parts = {
  units: [
    unit("f-same.service", sleeper("same", "7")),
    unit("f-secret.service", sleeper("secret", "7", { service: "EnvironmentFile=/etc/faults/secret.env\n" }), {
      restartOnFiles: ["/etc/faults/secret.env"],
    }),
    unit("f-changed.service", sleeper("changed", older)),
    unit("f-leaving.service", sleeper("leaving", "7")),
    unit(
      "f-gate.socket",
      "[Socket]\nListenStream=/run/f-gate-1\nRemoveOnStop=yes\n[Install]\nWantedBy=sockets.target\n",
    ),
    unit("f-gate.service", "[Service]\nExecStart=/bin/sleep infinity\n", {
      activation: "on-demand",
      triggeredBy: ["f-gate.socket"],
    }),
    unit("f-nightly.timer", "[Timer]\nOnCalendar=*-*-* 03:00:00\nPersistent=true\n[Install]\nWantedBy=timers.target\n"),
    unit("f-nightly.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", {
      activation: "on-demand",
      triggeredBy: ["f-nightly.timer"],
    }),
  ],
  files: [
    { path: "/etc/faults/secret.env", mode: "0600", content: "TOKEN=the-old-token\n", secret: true },
    { path: "/etc/faults/leaving/settings", mode: "0640", content: "old\n", secret: false },
  ],
};

const newParts: Parts = {
  units: [
    unit("f-same.service", sleeper("same", "7")),
    unit("f-secret.service", sleeper("secret", "7", { service: "EnvironmentFile=/etc/faults/secret.env\n" }), {
      restartOnFiles: ["/etc/faults/secret.env"],
    }),
    unit("f-changed.service", sleeper("changed", newer)),
    unit("f-coming.service", sleeper("coming", "7", { service: "User=f-coming\n" })),
    unit(
      "f-gate.socket",
      "[Socket]\nListenStream=/run/f-gate-2\nRemoveOnStop=yes\n[Install]\nWantedBy=sockets.target\n",
    ),
    unit("f-gate.service", "[Service]\nExecStart=/bin/sleep infinity\n", {
      activation: "on-demand",
      triggeredBy: ["f-gate.socket"],
    }),
    unit("f-nightly.timer", "[Timer]\nOnCalendar=*-*-* 04:00:00\nPersistent=true\n[Install]\nWantedBy=timers.target\n"),
    unit("f-nightly.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n", {
      activation: "on-demand",
      triggeredBy: ["f-nightly.timer"],
    }),
  ],
  files: [
    { path: "/etc/faults/secret.env", mode: "0600", content: "TOKEN=the-new-token\n", secret: true },
    { path: "/etc/faults/coming/folder/settings", mode: "0644", content: "new\n", secret: false },
  ],
  users: [{ name: "f-coming", group: "f-coming", home: "/var/lib/f-coming" }],
};

export const oldBundle = bundle(scope, oldParts);
export const newBundle = bundle(scope, newParts);

/** The new state with something more, and other bounds: for what must not be reached. */
export function newBundleWith(more: Partial<Parts>, bounds: Partial<Bundle["bounds"]> = {}): Bundle {
  return bundle(
    scope,
    {
      units: [
        ...newParts.units.filter((one) => !more.units?.some(({ name }) => name === one.name)),
        ...(more.units ?? []),
      ],
      files: [...(newParts.files ?? []), ...(more.files ?? [])],
      users: [...(newParts.users ?? []), ...(more.users ?? [])],
    },
    bounds,
  );
}
