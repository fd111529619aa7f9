import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { deb822Sources, debianMirror, oneLineSources } from "../../sandbox/mirror.ts";

/** The mirror that is read from these files of an apt folder. */
function mirrorIn(files: Record<string, string>, env: NodeJS.ProcessEnv = {}): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "apt-test-"));
  try {
    mkdirSync(join(folder, "sources.list.d"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return debianMirror(env, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const debian = `Types: deb deb-src
# a comment
URIs: http://one.example/debian https://two.example/debian
Suites: trixie
 trixie-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 Types: deb
`;

test("deb822 stanzas: several addresses, continued lines, comments; disabled and source ones left out", () => {
  const text = `${debian}
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb-src
URIs: http://src.example/debian
Suites: trixie
Components: main
`;
  const suites = ["trixie", "trixie-updates"];
  assert.deepEqual(deb822Sources(text), [
    { uri: "http://one.example/debian", suites, components: ["main", "contrib"] },
    { uri: "https://two.example/debian", suites, components: ["main", "contrib"] },
  ]);
});

test("one-line sources: options, comments, source lines", () => {
  const text = `# deb http://no.example/debian bookworm main
deb [arch=amd64 signed-by=/a.gpg] http://one.example/debian bookworm main contrib # why
deb-src http://src.example/debian bookworm main
deb  http://two.example/debian/  bookworm-updates  main
`;
  assert.deepEqual(oneLineSources(text), [
    { uri: "http://one.example/debian", suites: ["bookworm"], components: ["main", "contrib"] },
    { uri: "http://two.example/debian/", suites: ["bookworm-updates"], components: ["main"] },
  ]);
});

test("the mirror is Debian's, not a third party's, not Ubuntu's, not the security archive", () => {
  assert.equal(mirrorIn({ "sources.list.d/debian.sources": debian }), "http://one.example/debian");
  assert.equal(
    mirrorIn({
      "sources.list": "deb http://security.example/debian-security bookworm-security main\n",
      "sources.list.d/a.list": [
        "deb https://party.example/linux/debian bookworm stable",
        "deb https://party.example/debian/12/prod bookworm main",
        "deb cdrom:[Debian]/ bookworm main",
        "deb file:/srv/debian bookworm main",
        "deb https://mirror.example/debian/20250520T000000Z bookworm main",
      ].join("\n"),
    }),
    "https://mirror.example/debian/20250520T000000Z",
  );
  assert.equal(mirrorIn({ "sources.list": "deb http://archive.example/ubuntu noble main\n" }), undefined);
  assert.equal(mirrorIn({}), undefined);
});

test("PULUMI_SYSTEMD_DEBIAN_MIRROR comes first", () => {
  const files = { "sources.list.d/debian.sources": debian };
  const chosen = "http://archive.example/debian";
  assert.equal(mirrorIn(files, { PULUMI_SYSTEMD_DEBIAN_MIRROR: chosen }), chosen);
  assert.equal(mirrorIn(files, { PULUMI_SYSTEMD_DEBIAN_MIRROR: "" }), "http://one.example/debian");
});
