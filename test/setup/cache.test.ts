import assert from "node:assert/strict";
import { homedir } from "node:os";
import { test } from "node:test";
import { cacheFolder } from "../../setup/cache.ts";

test("the cache follows XDG_CACHE_HOME, and ignores a relative one", () => {
  assert.deepEqual(
    [{ XDG_CACHE_HOME: "/var/cache/me" }, { XDG_CACHE_HOME: "cache" }, { XDG_CACHE_HOME: "" }, {}].map(cacheFolder),
    ["/var/cache/me/pulumi-systemd", ...Array(3).fill(`${homedir()}/.cache/pulumi-systemd`)],
  );
});
