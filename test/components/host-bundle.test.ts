import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleSchema } from "../../activation/bundle.ts";
import { sha256, unitDigests } from "../../activation/digests.ts";
import { uploadName } from "../../activation/uploads.ts";
import type { DefinedUnit, Definition } from "../../components/definition.ts";
import { hostBundle, releaseUploads } from "../../components/host-bundle.ts";

const text = "[Service]\nExecStart=/bin/true\n\n[Install]\nWantedBy=multi-user.target\n";
const unit: DefinedUnit = {
  name: "api.service",
  text,
  activation: "started",
  restartOnFiles: ["/etc/pulumi-systemd/api.env"],
  restartOnReleases: ["api"],
  triggeredBy: ["api.socket"],
  onChange: "auto",
  settleSec: 1,
  waive: [],
};
const hash = "ab".repeat(32);
const api: Definition = {
  units: [unit],
  files: [{ path: "/etc/pulumi-systemd/api.env", mode: "0600", content: 'A="1"\n', secret: true }],
  users: [{ name: "api", group: "api", home: "/var/lib/api" }],
  releases: [{ name: "api", sha256: hash, archive: "/somewhere/a.tar", id: "0123456789abcdef", keep: 3 }],
};
const socket: Definition = {
  units: [
    {
      ...unit,
      name: "api.socket",
      text: "[Socket]\nListenStream=80\n",
      restartOnFiles: [],
      restartOnReleases: [],
      triggeredBy: [],
    },
  ],
  files: [],
  users: [],
  releases: [],
};
const bounds = { transactionSec: 900, waitSec: 300, confirmSec: 0 };

test("holds everything that the definitions say, and where it goes", () => {
  const bundle = hostBundle("shop/dev/web1", [socket, api], bounds);
  assert.deepEqual(bundle, {
    format: 1,
    scope: "shop/dev/web1",
    users: [{ name: "api", group: "api", home: "/var/lib/api" }],
    files: [{ path: "/etc/pulumi-systemd/api.env", mode: "0600", content: 'A="1"\n', encoding: "utf-8", secret: true }],
    releases: [
      {
        name: "api",
        sha256: hash,
        upload: `.pulumi-systemd-${sha256("shop/dev/web1").slice(0, 16)}-${hash}.tar`,
        directory: "/opt/api/releases/0123456789abcdef",
        link: "/opt/api/current",
        keep: 3,
        environment: null,
      },
    ],
    hooks: [],
    units: [
      {
        name: "api.service",
        path: "/etc/systemd/system/api.service",
        content: text,
        digests: unitDigests(text),
        activation: "started",
        enabled: true,
        restartOn: { files: ["/etc/pulumi-systemd/api.env"], releases: ["api"] },
        reloadOn: { files: [] },
        purge: [],
        triggeredBy: ["api.socket"],
        canReload: false,
        isJob: false,
        countsFromThePast: false,
        memoryMax: null,
        gate: null,
        stopsWith: [],
        stopPropagatedFrom: [],
        bindsTo: [],
        onChange: "auto",
        settleSec: 1,
      },
      {
        name: "api.socket",
        path: "/etc/systemd/system/api.socket",
        content: "[Socket]\nListenStream=80\n",
        digests: unitDigests("[Socket]\nListenStream=80\n"),
        activation: "started",
        enabled: false,
        restartOn: { files: [], releases: [] },
        reloadOn: { files: [] },
        purge: [],
        triggeredBy: [],
        canReload: false,
        isJob: false,
        countsFromThePast: false,
        memoryMax: null,
        gate: null,
        stopsWith: [],
        stopPropagatedFrom: [],
        bindsTo: [],
        onChange: "auto",
        settleSec: 1,
      },
    ],
    adopt: [],
    keepGenerations: 5,
    bounds,
  });
  assert.deepEqual(bundleSchema.parse(bundle), bundle);
});

test("an environment, its wheels and its hooks travel with the release; the transaction has time for them", () => {
  const environment = {
    digest: hash,
    lockKind: "requirements",
    inputs: [{ path: "requirements.txt", content: "flask==3.0.0\n" }],
    isHashed: false,
    installer: "auto",
    wheelhouse: "/wheels.tar",
    wheelhouseSha256: "cd".repeat(32),
    pipConf: "[global]\n",
    uvToml: "",
    buildSec: 600,
  };
  const hook = { release: "api", unit: "api.service", kind: "pre-start", exec: ["/bin/true", "100%"], seconds: 60 };
  const {
    releases,
    hooks,
    bounds: given,
  } = hostBundle(
    "shop/dev/web1",
    [{ ...api, releases: [{ ...api.releases[0]!, environment }], hooks: [hook] }],
    bounds,
  );
  assert.deepEqual(releases[0]?.environment, {
    digest: hash,
    directory: "/opt/api/environments",
    lock: { kind: "requirements", inputs: environment.inputs, hashed: false },
    python: null,
    installer: "auto",
    uv: null,
    wheelhouse: { sha256: "cd".repeat(32), upload: uploadName("shop/dev/web1", "cd".repeat(32)) },
    wheel: null,
    index: { pip: "[global]\n", uv: "" },
    buildSec: 600,
  });
  assert.deepEqual(given, { ...bounds, transactionSec: 1560 });
  assert.equal(hooks.length, 1);
  assert.match(hooks[0]?.content ?? "", /^ExecStart=\/bin\/true 100%%$/m);
});

test("an archive that two services ship travels once", () => {
  const release = api.releases[0]!;
  const other = { ...api, releases: [{ ...release, name: "worker" }] };
  assert.deepEqual(releaseUploads([other, api]), [{ name: "api", sha256: hash, archive: release.archive }]);
});

test("is the same in any order, and when a definition is given twice", () => {
  assert.deepEqual(
    hostBundle("shop/dev/web1", [api, socket, api], bounds),
    hostBundle("shop/dev/web1", [socket, api], bounds),
  );
});

test("what may be taken over is named by its path or by its unit", () => {
  const env = "/etc/pulumi-systemd/api.env";
  const adopted = (adopt: string[]) => hostBundle("shop/dev/web1", [api], bounds, { adopt }).adopt;
  assert.deepEqual(adopted(["api.service", env, "/etc/systemd/system/api.service"]), [
    env,
    "/etc/systemd/system/api.service",
  ]);
  for (const entry of ["/etc/other", "nginx.service"]) {
    assert.throws(() => adopted(["api.service", entry]), {
      message: `adopt[1]: this Host has neither a unit nor a file "${entry}"; it has api.service, ${env}`,
    });
  }
});

test("what restarts or reloads a unit comes to the host too", () => {
  const env = "/etc/pulumi-systemd/api.env";
  for (const [field, name, reason] of [
    ["restartOnFiles", "/etc/mistyped", `this Host gets no file "/etc/mistyped"; it gets ${env}`],
    ["reloadOnFiles", "/etc/mistyped", `this Host gets no file "/etc/mistyped"; it gets ${env}`],
    ["restartOnReleases", "mistyped", 'this Host gets no release "mistyped"; it gets api'],
  ] as const) {
    const there = field === "restartOnReleases" ? "api" : env;
    const mistyped = { ...api, units: [{ ...unit, [field]: [there, name] }] };
    assert.throws(() => hostBundle("shop/dev/web1", [mistyped], bounds), {
      message: `api.service: ${field}[1]: ${reason}`,
    });
  }
});

const conflicts: readonly [string, Definition][] = [
  ["the unit api.service", { ...api, units: [{ ...unit, settleSec: 2 }] }],
  [
    "the file /etc/pulumi-systemd/api.env",
    { ...api, files: [{ path: "/etc/pulumi-systemd/api.env", mode: "0600", content: "B", secret: true }] },
  ],
  ["the account api", { ...api, users: [{ name: "api", group: "web", home: "/var/lib/api" }] }],
  [
    "the release api",
    {
      ...api,
      releases: [{ name: "api", sha256: "cd".repeat(32), archive: "/b.tar", id: "0123456789abcdef", keep: 3 }],
    },
  ],
];

for (const [what, other] of conflicts) {
  test(`two that disagree on ${what} are an error`, () => {
    assert.throws(() => hostBundle("shop/dev/web1", [api, other], bounds), {
      message: `two definitions claim ${what} and do not agree on it; rename one of them`,
    });
  });
}
