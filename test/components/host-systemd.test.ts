import assert from "node:assert/strict";
import { test } from "node:test";
import type { Definition } from "../../components/definition.ts";
import { fittingDefinitions } from "../../components/host-systemd.ts";

const definition = (text: string): Definition => ({
  units: [
    {
      name: "api.service",
      text,
      activation: "started",
      restartOnFiles: [],
      restartOnReleases: [],
      triggeredBy: [],
      onChange: "auto",
      settleSec: 1,
      waive: [],
    },
  ],
  files: [],
  users: [],
  releases: [],
});

const header = "# Managed by pulumi-systemd: changes made here are lost at the next update.\n\n";
const plain = definition(`${header}[Service]\nExecStart=/bin/true\nRestart=always\n`);
const newer = definition(
  `${header}[Service]\nType=notify-reload\nExecStart=/bin/true\nRestartSteps=5\nRestart=always\n`,
);

test("what every supported systemd knows goes to any host as it is", () => {
  for (const systemd of [undefined, 247, 257]) {
    assert.deepEqual(fittingDefinitions("web1", [plain], systemd), { definitions: [plain], omitted: [] });
  }
});

test("a host that is new enough, or of which nothing is known, gets everything", () => {
  for (const systemd of [undefined, 254, 257]) {
    assert.deepEqual(fittingDefinitions("web1", [newer], systemd), { definitions: [newer], omitted: [] });
  }
});

test("an older host is an error that names directive, value, versions and host", () => {
  assert.throws(
    () => fittingDefinitions("web1", [newer], 247),
    (error: Error) => {
      assert.match(error.message, /api\.service: \[Service\] Type: .*notify-reload.*253.*247/);
      assert.match(error.message, /api\.service: \[Service\] RestartSteps: it needs systemd 254, web1 has 247;/);
      return true;
    },
  );
});

test("left out where the user allows it, and said so", () => {
  assert.deepEqual(fittingDefinitions("web1", [plain, newer], 247, "omit"), {
    definitions: [plain, plain],
    omitted: ["api.service: [Service] Type=", "api.service: [Service] RestartSteps="],
  });
});
