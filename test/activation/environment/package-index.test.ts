import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseToml } from "smol-toml";
import { indexFiles } from "../../../activation/environment/package-index.ts";

/** The file as pip reads it. */
function asPip(text: string): Record<string, string> {
  const program =
    "import configparser,json,sys; c=configparser.RawConfigParser(); c.read_string(sys.stdin.read()); print(json.dumps(dict(c['global'])))";
  return JSON.parse(execFileSync("python3", ["-c", program], { input: text, encoding: "utf8" }));
}

test("credentials reach pip and uv as they are, whatever is in them, and no further index", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: "binary" }),
      fc.string({ minLength: 1, unit: "binary" }),
      (username, password) => {
        // Half of a surrogate pair is no text that any index could check.
        fc.pre(username.isWellFormed() && password.isWellFormed());
        const index = {
          url: "https://pypi.example.org/simple",
          extraUrls: ["https://b.example.org/s"],
          username,
          password,
        };
        const files = indexFiles(index);
        const pip = asPip(files.pip);
        const url = new URL(pip["index-url"]!);
        assert.deepEqual([decodeURIComponent(url.username), decodeURIComponent(url.password)], [username, password]);
        assert.equal(pip["extra-index-url"], "https://b.example.org/s");
        const { index: indexes } = JSON.parse(JSON.stringify(parseToml(files.uv))) as {
          index: { url: string; default?: boolean }[];
        };
        assert.deepEqual(indexes, [{ url: "https://b.example.org/s" }, { url: url.href, default: true }]);
      },
    ),
    { numRuns: 25 },
  );
});

test("hosts that are trusted are told to both", () => {
  const files = indexFiles({ url: "http://10.0.0.1:8080/simple", trustedHosts: ["10.0.0.1:8080", "b"] });
  assert.deepEqual(asPip(files.pip), { "index-url": "http://10.0.0.1:8080/simple", "trusted-host": "10.0.0.1:8080 b" });
  assert.deepEqual(parseToml(files.uv)["allow-insecure-host"], ["10.0.0.1:8080", "b"]);
});

for (const [url, reason] of [
  ["pypi.example.org", /packageIndex\.url: is no URL/],
  ["ftp://pypi.example.org", /must begin with https/],
  ["https://a:b@pypi.example.org", /holds credentials; give them as username and password/],
  ["https://pypi.example.org/simple?a=b", /is to be percent-encoded/],
] as const) {
  test(`an index at ${url} is refused`, () => assert.throws(() => indexFiles({ url }), reason));
}
