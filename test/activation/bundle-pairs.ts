import fc from "fast-check";
import type { Bundle } from "../../activation/bundle.ts";
import { bundleUnits } from "../../activation/bundle-units.ts";
import type { DefinedUnit } from "../../components/definition.ts";
import { testBundle, testUnit } from "./test-bundle.ts";

/** How one service hangs on another. `StopPropagatedFrom` needs systemd 249. */
export const followings = ["Requires", "PartOf", "BindsTo", "StopPropagatedFrom"] as const;
type Following = (typeof followings)[number];

/**
 * Bundles that any host of the tests can carry: units of every kind that depend on, trigger and take along each other.
 * Nothing in them fires, listens on a port, or runs longer than it is looked at.
 */
function bundleArbitrary(followings: readonly Following[], scope = "test/pairs/host"): fc.Arbitrary<Bundle> {
  return fc
    .record({
      services: fc.tuple(
        ...[0, 1, 2, 3].map((index) => fc.option(serviceArbitrary(index, followings), { freq: 4, nil: undefined })),
      ),
      sockets: fc.tuple(...[0, 1].map(() => fc.option(socketArbitrary, { freq: 3, nil: undefined }))),
      swapped: fc.boolean(),
      timer: fc.option(timerArbitrary, { freq: 2, nil: undefined }),
      path: fc.option(fc.constantFrom("/nowhere/a", "/nowhere/b"), { freq: 2, nil: undefined }),
      slice: fc.option(fc.constantFrom("TasksMax=500", "TasksMax=600", "CPUWeight=50"), { freq: 2, nil: undefined }),
      target: fc.option(fc.constantFrom("", "Wants=pair-s0.service", "Description=of them"), {
        freq: 2,
        nil: undefined,
      }),
      template: fc.option(
        fc.record({
          line: fc.constantFrom("Nice=1", "Nice=2", "RestartSec=3"),
          follows: fc.constantFrom("" as const, "" as const, ...followings),
          onChange: fc.constantFrom("auto", "none"),
        }),
        { freq: 2, nil: undefined },
      ),
      files: fc.tuple(fc.constantFrom("one\n", "two\n"), fc.constantFrom("three\n", "four\n")),
    })
    .map((drawn) => drawnBundle(scope, drawn));
}

interface Service {
  kind: "long" | "job" | "stays";
  started: boolean;
  lines: Record<string, string>;
  unitLines: Record<string, string>;
  follows: "" | Following;
  leader: number;
  file: number;
  onChange: string;
  install: string;
  socketWords: boolean;
}

const serviceArbitrary = (index: number, followings: readonly Following[]): fc.Arbitrary<Service> =>
  fc.record({
    kind: fc.constantFrom("long" as const, "long" as const, "long" as const, "job" as const, "stays" as const),
    started: fc.boolean().map((maybe) => maybe || index === 0),
    lines: lines({
      Nice: ["1", "2"],
      MemoryMax: ["100M", "200M", "10%"],
      TasksMax: ["50", "60"],
      RestartSec: ["3", "4"],
      ExecReload: ["/bin/true"],
      "X-Pulumi-Reload-Trigger": ["1", "2"],
      "X-Pulumi-Restart-Trigger": ["1"],
      "X-Owner": ["me", "you"],
    }),
    unitLines: lines({ Description: ["first", "second"], "X-Note": ["a", "b"], After: ["network.target"] }),
    follows: fc.constantFrom("" as const, "" as const, ...followings),
    leader: fc.nat({ max: Math.max(0, index - 1) }),
    file: fc.integer({ min: -2, max: 1 }),
    onChange: fc.constantFrom("auto", "auto", "auto", "auto", "restart", "reload", "none"),
    install: fc.constantFrom("multi-user.target", "multi-user.target", "graphical.target"),
    socketWords: fc.boolean(),
  });

function lines(values: Record<string, string[]>): fc.Arbitrary<Record<string, string>> {
  const each = Object.entries(values).map(([key, choices]) =>
    fc.option(fc.constantFrom(...choices), { freq: 2, nil: undefined }).map((value) => [key, value] as const),
  );
  return fc
    .tuple(...each)
    .map((pairs) => Object.fromEntries(pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))));
}

interface Socket {
  service: number;
  lines: Record<string, string>;
  onChange: string;
}

const socketArbitrary: fc.Arbitrary<Socket> = fc.record({
  service: fc.nat({ max: 3 }),
  lines: lines({ Backlog: ["64", "128"], MaxConnections: ["10"] }),
  onChange: fc.constantFrom("auto", "auto", "auto", "none"),
});

const timerArbitrary = fc.record({
  service: fc.nat({ max: 3 }),
  trigger: fc.constantFrom("OnCalendar=2098-01-01", "OnCalendar=2099-01-01", "OnBootSec=300d", "OnBootSec=301d"),
});

interface Drawn {
  services: (Service | undefined)[];
  sockets: (Socket | undefined)[];
  swapped: boolean;
  timer: { service: number; trigger: string } | undefined;
  path: string | undefined;
  slice: string | undefined;
  target: string | undefined;
  template: { line: string; follows: "" | Following; onChange: string } | undefined;
  files: string[];
}

const serviceName = (index: number) => `pair-s${index}.service`;
const socketName = (index: number) => `pair-k${index}.socket`;
const filePath = (index: number) => `/etc/pairs/${index}.conf`;

/** Whether a file is for its reload, also where it cannot reload. */
function isReread({ file, lines }: Service): boolean {
  return file >= 0 && (lines.ExecReload !== undefined || lines["X-Owner"] === "me");
}

function drawnBundle(scope: string, drawn: Drawn): Bundle {
  const { services } = drawn;
  const runs = (index: number) => services[index]?.kind === "long";
  // A socket needs a service that can hold it; what would not start is no state to be in.
  const sockets = drawn.sockets.map((socket) => (socket && runs(socket.service) ? socket : undefined));
  const definitions: DefinedUnit[] = [];
  for (const [index, service] of services.entries()) {
    if (service === undefined) continue;
    const own = sockets.flatMap((socket, at) => (socket?.service === index ? [socketName(at)] : []));
    const leads = service.follows !== "" && index > 0 && runs(service.leader);
    const words = service.socketWords && own.length > 0;
    const unitLines = [
      ...Object.entries(service.unitLines).map(([key, value]) => `${key}=${value}`),
      ...(leads ? [`${service.follows}=${serviceName(service.leader)}`, `After=${serviceName(service.leader)}`] : []),
      ...(words ? [`Requires=${own.join(" ")}`] : []),
    ];
    const body = {
      long: ["Type=exec", "ExecStart=/bin/sleep 100000"],
      job: ["Type=oneshot", "ExecStart=/bin/true"],
      stays: ["Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true"],
    }[service.kind];
    definitions.push(
      unit(
        serviceName(index),
        [
          "[Unit]",
          ...unitLines,
          "[Service]",
          ...body,
          ...Object.entries(service.lines).map(([key, value]) => `${key}=${value}`),
          ...(words ? [`Sockets=${own.join(" ")}`] : []),
          ...(service.started ? ["[Install]", `WantedBy=${service.install}`] : []),
        ],
        {
          activation: service.started ? "started" : "on-demand",
          restartOnFiles: service.file < 0 || isReread(service) ? [] : [filePath(service.file)],
          reloadOnFiles: isReread(service) ? [filePath(service.file)] : [],
          onChange: service.onChange,
        },
      ),
    );
  }
  for (const [index, socket] of sockets.entries()) {
    if (socket === undefined) continue;
    const address = `/run/pairs-${drawn.swapped ? 1 - index : index}.sock`;
    definitions.push(
      unit(
        socketName(index),
        [
          "[Socket]",
          `ListenStream=${address}`,
          `Service=${serviceName(socket.service)}`,
          ...Object.entries(socket.lines).map(([key, value]) => `${key}=${value}`),
          "[Install]",
          "WantedBy=sockets.target",
        ],
        { onChange: socket.onChange },
      ),
    );
  }
  if (drawn.timer && services[drawn.timer.service]) {
    const { trigger, service } = drawn.timer;
    const text = ["[Timer]", trigger, `Unit=${serviceName(service)}`, "[Install]", "WantedBy=timers.target"];
    definitions.push(unit("pair-t.timer", text));
  }
  if (drawn.path && services[0]) {
    const text = ["[Path]", `PathExists=${drawn.path}`, `Unit=${serviceName(0)}`];
    definitions.push(unit("pair-p.path", [...text, "[Install]", "WantedBy=multi-user.target"]));
  }
  if (drawn.slice) definitions.push(unit("pair.slice", ["[Slice]", drawn.slice], { activation: "started" }));
  if (drawn.target !== undefined) {
    const text = ["[Unit]", ...(services[0] || !drawn.target.startsWith("Wants") ? [drawn.target] : [])];
    definitions.push(unit("pair.target", text, { activation: "started" }));
  }
  if (drawn.template) {
    const { line, follows, onChange } = drawn.template;
    // The first service is never idle.
    const after =
      follows === "" || !runs(0) ? [] : ["[Unit]", `${follows}=${serviceName(0)}`, `After=${serviceName(0)}`];
    const text = [...after, "[Service]", "ExecStart=/bin/sleep 100000", line];
    definitions.push(unit("pair@.service", text, { activation: "on-demand", onChange }));
  }
  const files = drawn.files.map((content, index) => ({
    path: filePath(index),
    mode: "0644",
    content,
    secret: index === 1,
  }));
  return testBundle(definitions, files, scope);
}

function unit(name: string, text: string[], more: Partial<DefinedUnit> = {}): DefinedUnit {
  return testUnit(name, `${text.filter((line) => line !== "").join("\n")}\n`, more);
}

/** The old bundle with some of its units as the other one has them, where both have them. */
function mixed(old: Bundle, other: Bundle, fromOther: readonly boolean[]): Bundle {
  const names = [...new Set([...old.units, ...other.units].map(({ name }) => name))].sort();
  const units = names.flatMap((name, index) => {
    const [was, is] = [old, other].map((bundle) => bundle.units.find((each) => each.name === name));
    return (fromOther[index % fromOther.length] ? (is ?? was) : was) ?? [];
  });
  const present = new Set(units.map(({ name }) => name));
  const needed = units.every((each) =>
    [...each.content.matchAll(/^(?:Requires|BindsTo|Sockets|Service|Unit)=(.*)$/gm)].every(([, words = ""]) =>
      words.split(" ").every((word) => present.has(word)),
    ),
  );
  const addresses = units.flatMap((each) => /^ListenStream=.*$/m.exec(each.content) ?? []);
  const oneshots = units.filter((each) => each.content.includes("Type=oneshot")).map(({ name }) => name);
  const holds = units.every((each) => !oneshots.includes(/^(?:Service|BindsTo)=(.*)$/m.exec(each.content)?.[1] ?? ""));
  if (!needed || !holds || new Set(addresses).size < addresses.length) return other;
  return {
    ...other,
    units: bundleUnits(
      units.map((each) =>
        unit(each.name, each.content.trimEnd().split("\n"), {
          activation: each.activation,
          restartOnFiles: each.restartOn.files,
          reloadOnFiles: each.reloadOn.files,
          onChange: each.onChange,
        }),
      ),
    ),
  };
}

/**
 * Two bundles of which the second is often a small step from the first, as changes are in life.
 * @param followings how their services may hang on each other
 */
export function bundlePair(followings: readonly Following[]): fc.Arbitrary<{ old: Bundle | undefined; next: Bundle }> {
  const any = bundleArbitrary(followings);
  return fc.oneof(
    { weight: 1, arbitrary: fc.record({ old: fc.constant(undefined), next: any }) },
    { weight: 6, arbitrary: fc.record({ old: any, next: any }) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(any, any, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }))
        .map(([old, other, fromOther]) => ({ old, next: mixed(old, other, fromOther) })),
    },
  );
}
