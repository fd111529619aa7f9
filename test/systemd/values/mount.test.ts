import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("BindPaths takes words of the form source[:destination[:options]]", () => {
  assertAccepted("BindPaths", ["/a", "-/a:/b", "/a:/b:norbind", "/a /b:/c", "/a\\:b:/c"]);
  assertRefused("BindPaths", {
    "a:/b": '"a" is not an absolute path; it must begin with "/"',
    "/a:/b:rbnd": '"rbnd" is not one of rbind, norbind, idmap, noidmap, rootidmap; did you mean "rbind"?',
    '"/a': '"\\"/a" cannot be split into words: a quote is never closed',
  });
});

test("TemporaryFileSystem takes absolute paths, each with mount options after a colon as needed", () => {
  assertAccepted("TemporaryFileSystem", ["/var:ro /tmp:size=5M"]);
  assertRefused("TemporaryFileSystem", {
    var: '"var" is not an absolute path; it must begin with "/"',
  });
});

test("MountImages takes words of the form source:destination[:options]", () => {
  assertAccepted("MountImages", ["/a.raw:/srv", "-/a.raw:/srv:ro"]);
  assertRefused("MountImages", {
    "/a.raw": '"/a.raw" has no destination; write the image and the place, as in "/var/lib/data.raw:/srv/data"',
    "a.raw:/srv": '"a.raw" is not an absolute path; it must begin with "/"',
  });
});

test("ExtensionImages takes words of the form source[:options]", () => {
  assertAccepted("ExtensionImages", ["/a.raw", "-/a.raw:ro"]);
  assertRefused("ExtensionImages", {
    "a.raw": '"a.raw" is not an absolute path; it must begin with "/"',
  });
});

test("RootHash takes hexadecimal digits, or an absolute path", () => {
  assertAccepted("RootHash", ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/etc/hash"]);
  assertRefused("RootHash", {
    abc: '"abc" is neither an absolute path nor at least 32 hexadecimal digits, two for each byte',
  });
});

test("RootHashSignature takes base64: and data, or an absolute path", () => {
  assertAccepted("RootHashSignature", ["/etc/sig", "base64:aGk="]);
  assertRefused("RootHashSignature", {
    sig: '"sig" is neither an absolute path nor base64 data after "base64:"',
    "base64:!": "the data is not base64: letters, digits, + and /, filled up with = to a multiple of four characters",
  });
});

const partitions =
  "root, usr, home, srv, esp, xbootldr, swap, root-verity, usr-verity, root-verity-sig, usr-verity-sig, tmp, var";

test("RootImageOptions takes mount options, or words of the form partition:options", () => {
  assertAccepted("RootImageOptions", [
    "ro",
    "root:ro home:dev",
    '"root:ro nosuid" var:dev',
    "zz:",
    ":ro",
    "root-other:ro",
  ]);
  assertRefused("RootImageOptions", {
    "a:b": `"a" is not one of ${partitions}`,
    "rot:ro": `"rot" is not one of ${partitions}; did you mean "root"?`,
    "[::1]:80": '"[::1]:80" has more than one colon; write partition:options, as in "root:ro"',
    "root:ro:x": '"root:ro:x" has more than one colon; write partition:options, as in "root:ro"',
  });
});

test("images take options, or partitions each with options", () => {
  assertAccepted("ExtensionImages", ["/a:ro,nosuid", "/a:root:ro:usr:ro", "/a:root", "/a::ro", "/a:zz"]);
  assertAccepted("MountImages", ["/a:/b:zz", "/a:/b:root:ro:var:dev"]);
  assertRefused("ExtensionImages", { "/a:/b:zz": `"/b" is not one of ${partitions}` });
  assertRefused("MountImages", { "/a:/b:root:ro:zz:dev": `"zz" is not one of ${partitions}` });
});
