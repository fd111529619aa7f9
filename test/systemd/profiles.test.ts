// That Python programs run under the profiles is proven by test/hosts/profiles.test.ts, with the scores of the real tool.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exposureOf } from "../../systemd/exposure.ts";
import { profileSandbox, sandboxProfileNames, sandboxProfiles } from "../../systemd/profiles.ts";
import { serviceSandbox } from "../../systemd/sandbox.ts";
import { type SectionDirectives, unitFileOf } from "../../systemd/sections.ts";
import { unitProblems } from "../../systemd/validate.ts";

/** What `changed` has in another way than the default sandbox; null: has not. */
function differences(changed: SectionDirectives): Record<string, unknown> {
  const server = serviceSandbox();
  const names = [...new Set([...Object.keys(server), ...Object.keys(changed)])];
  return Object.fromEntries(
    names.filter((name) => String(server[name]) !== String(changed[name])).map((name) => [name, changed[name] ?? null]),
  );
}

describe("profileSandbox", () => {
  it("of network-server is the default sandbox", () => {
    assert.deepEqual(profileSandbox("network-server"), serviceSandbox());
  });

  it("of network-client cannot listen, and sees no other users", () => {
    assert.deepEqual(differences(profileSandbox("network-client")), {
      SystemCallFilter: ["@system-service", "~@privileged @resources listen"],
      PrivateUsers: "yes",
    });
  });

  it("of strict has no network, and all that is too strict for a default", () => {
    assert.deepEqual(differences(profileSandbox("strict", { systemd: 248 })), {
      RestrictAddressFamilies: "AF_UNIX",
      PrivateNetwork: "yes",
      IPAddressDeny: "any",
      MemoryDenyWriteExecute: "yes",
      ProcSubset: "pid",
      PrivateUsers: "yes",
      PrivateIPC: "yes",
    });
  });

  it("of trusted is this little", () => {
    assert.deepEqual(profileSandbox("trusted"), {
      ProtectSystem: "full",
      NoNewPrivileges: "yes",
      PrivateTmp: "yes",
      PrivateMounts: "yes",
      ProtectControlGroups: "yes",
      ProtectHostname: "yes",
      ProtectKernelModules: "yes",
      RestrictSUIDSGID: "yes",
      LockPersonality: "yes",
      SystemCallArchitectures: "native",
    });
  });

  it("leaves out what the oldest host does not know, by default 247", () => {
    const more = (systemd: number) =>
      sandboxProfileNames.flatMap((name) => {
        const least = profileSandbox(name);
        return Object.keys(profileSandbox(name, { systemd })).filter((directive) => !(directive in least));
      });
    assert.deepEqual([more(247), more(248), more(257)], [[], ["PrivateIPC"], ["PrivateIPC"]]);
  });

  for (const name of sandboxProfileNames) {
    it(`of ${name} is valid for systemd 247`, () => {
      const sections = { Service: { ExecStart: ["/bin/true"], ...profileSandbox(name) } };
      assert.deepEqual(unitProblems("any.service", sections, { systemd: 247 }), []);
    });
  }
});

describe("sandboxProfiles", () => {
  for (const name of sandboxProfileNames) {
    it(`states the exposure of ${name}, the same on every version`, () => {
      const exposures = [247, 252, 255, 257].map(
        (systemd) =>
          exposureOf("any.service", unitFileOf({ Service: { ...profileSandbox(name, { systemd }), User: "orders" } }), {
            systemd: Math.max(systemd, 252),
          }).exposure,
      );
      assert.deepEqual(exposures, Array(4).fill(sandboxProfiles[name].exposure));
    });

    it(`names each directive of ${name} once, with why and what may break`, () => {
      const { directives } = sandboxProfiles[name];
      assert.equal(new Set(directives.map((directive) => directive.name)).size, directives.length);
      assert.deepEqual(
        directives.filter(({ why, mayBreak }) => why === "" || mayBreak === ""),
        [],
      );
    });
  }
});
