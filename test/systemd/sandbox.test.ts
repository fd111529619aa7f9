// That programs run in these sandboxes was tried by hand: Flask, asyncio, ctypes with callbacks, subprocess,
// multiprocessing (fork, spawn, forkserver, shared memory), threading, sqlite3 and ssl on systemd 247, 252 and 257, in
// the probe's also `systemctl restart`, `is-active`, `show` and `stop`. exposure.test.ts checks the scores against the tool.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exposureOf } from "../../systemd/exposure.ts";
import { rootProbeSandbox, sandboxChoices, sandboxDirectives, serviceSandbox } from "../../systemd/sandbox.ts";
import type { SectionDirectives } from "../../systemd/sections.ts";

function exposureIn(directives: SectionDirectives, systemd: number): number {
  const entries = Object.entries(directives).flatMap(([key, value]) =>
    [value ?? []].flat().map((line) => ({ key, value: String(line) })),
  );
  return exposureOf("a.service", { sections: [{ name: "Service", entries }] }, { systemd }).exposure;
}

describe("serviceSandbox", () => {
  it("is this set of directives", () => {
    assert.deepEqual(serviceSandbox(), {
      NoNewPrivileges: "yes",
      ProtectSystem: "strict",
      ProtectHome: "yes",
      PrivateTmp: "yes",
      PrivateDevices: "yes",
      PrivateMounts: "yes",
      ProtectClock: "yes",
      ProtectControlGroups: "yes",
      ProtectHostname: "yes",
      ProtectKernelLogs: "yes",
      ProtectKernelModules: "yes",
      ProtectKernelTunables: "yes",
      ProtectProc: "invisible",
      RestrictAddressFamilies: "AF_UNIX AF_INET AF_INET6",
      RestrictNamespaces: "yes",
      RestrictRealtime: "yes",
      RestrictSUIDSGID: "yes",
      LockPersonality: "yes",
      CapabilityBoundingSet: "",
      SystemCallFilter: ["@system-service", "~@privileged @resources"],
      SystemCallErrorNumber: "EPERM",
      SystemCallArchitectures: "native",
      UMask: "0077",
      RemoveIPC: "yes",
    });
  });

  it("scores 1.3 with a user, on every version", () => {
    const exposures = [252, 255, 257].map((systemd) => exposureIn({ ...serviceSandbox(), User: "orders" }, systemd));
    assert.deepEqual(exposures, [1.3, 1.3, 1.3]);
  });

  it("leaves out what the oldest host does not know", () => {
    const added = (systemd: number) =>
      Object.keys(serviceSandbox({ systemd, also: ["PrivateIPC", "ProcSubset"] })).slice(sandboxDirectives.length);
    assert.deepEqual([added(247), added(248)], [["ProcSubset"], ["PrivateIPC", "ProcSubset"]]);
    assert.equal("ProtectProc" in serviceSandbox({ systemd: 246 }), false);
  });

  it("refuses a choice that does not exist", () => {
    assert.throws(() => serviceSandbox({ also: ["PrivateNetwork"] }), {
      name: "RangeError",
      message:
        'sandbox option "also": "PrivateNetwork" is no choice; accepted is MemoryDenyWriteExecute, ProcSubset, PrivateUsers, PrivateIPC',
    });
  });
});

describe("rootProbeSandbox", () => {
  it("is the service's, but for RemoveIPC=, which means nothing for root", () => {
    const { RemoveIPC: _, ...expected } = serviceSandbox();
    assert.deepEqual(rootProbeSandbox(), expected);
  });

  it("scores 1.6", () => {
    assert.equal(exposureIn(rootProbeSandbox(), 252), 1.6);
  });
});

describe("the sandbox tables", () => {
  it("name each directive once, and say why it is there and what it may break", () => {
    const all = [...sandboxDirectives, ...sandboxChoices];
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    assert.deepEqual(
      all.filter(({ why, mayBreak }) => why === "" || mayBreak === ""),
      [],
    );
  });

  it("need nothing newer than systemd 247 for the default", () => {
    assert.deepEqual(
      sandboxDirectives.filter(({ since }) => since > 247),
      [],
    );
  });
});
