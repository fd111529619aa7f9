import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fmt } from "../../cli/fmt.ts";
import { UsageError } from "../../cli/unit-source.ts";
import { recordingTerminal } from "./recording-terminal.ts";
import { unitFolder } from "./unit-folder.ts";

const canonical = "[Unit]\nDescription=Orders\n\n[Service]\nExecStart=/bin/a   b\nExecStart=";
const at = unitFolder({
  "loose.service": "# why\n[Unit]\n Description = Orders \r\n[Service]\nExecStart=/bin/a \\\n; no\n b\nExecStart=\n",
  "canonical.service": `${canonical}\n`,
  "broken.service": "[Service\nExecStart=/bin/a\n",
});

function formatted(name: string): string {
  const terminal = recordingTerminal();
  assert.equal(fmt(at(name), terminal), 0);
  assert.deepEqual(terminal.complaints, []);
  return terminal.printed.join("\n");
}

describe("fmt", () => {
  it("prints the canonical form, which is its own canonical form", () => {
    assert.equal(formatted("loose.service"), canonical);
    assert.equal(formatted("canonical.service"), canonical);
  });

  it("names a file that systemd would refuse, with the line", () => {
    assert.throws(
      () => fmt(at("broken.service"), recordingTerminal()),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.ok(error.message.startsWith(`${at("broken.service")}: line 1: `), error.message);
        return true;
      },
    );
  });

  it("names a file that cannot be read", () => {
    assert.throws(
      () => fmt(at("none.service"), recordingTerminal()),
      new UsageError(`${at("none.service")}: cannot be read: there is no such file`),
    );
  });
});
