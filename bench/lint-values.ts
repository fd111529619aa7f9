import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directivesOf } from "../systemd/directives.ts";
import { lintUnitTexts } from "../systemd/lints/lint-units.ts";

// Every directive of [Unit] [Service] [Install] [Socket] [Timer] [Path] with each of these values, one line each: which
// lines does `systemd-analyze verify` of this machine warn of, and which do we? Written without a look at the lints, so it
// finds gaps that the corpus, made beside them, cannot.
const pool =
  'maybe|-5|99999999999|5 apples|%k|a b c|"x|/rel/../x|rel/path|@nope|~|::|1,2|AF_NOPE|infinity|0|1|x.service|x.socket|/abs|-/abs|+/abs|50%|150%|5s|5x|64K|64Q|yes|none|/a:/b|/a:/b:zz|a:b|0777|0999|SIGFOO|CAP_FOO|[::1]:80|1.2.3.4:80|1.2.3.4:99999|x=y|=y|9x=y|/dev/null rw|/dev/null zz|daily|never|x y.service|http://x|mailto:x|ä|!x'.split(
    "|",
  );
/** The tool stops at the first bad value of these, so the lines behind it say nothing. */
const fatal = new Set(
  "User Group SupplementaryGroups SocketUser SocketGroup RootDirectory RootImage RootVerity DynamicUser WorkingDirectory".split(
    " ",
  ),
);
const units = [
  { name: "a.service", sections: ["Unit", "Service", "Install"], base: "[Service]\nExecStart=/bin/true\n" },
  { name: "a.socket", sections: ["Socket"], base: "[Socket]\nListenStream=7000\n" },
  { name: "a.timer", sections: ["Timer"], base: "[Timer]\nOnCalendar=daily\n" },
  { name: "a.path", sections: ["Path"], base: "[Path]\nPathExists=/x\n" },
];

const systemd = Number(/\d+/.exec(spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" }).stdout)?.[0]);
let [lines, both, onlyTool, onlyOurs] = [0, 0, 0, 0];
const gaps = new Map<string, Set<string>>();
const stricter = new Map<string, Set<string>>();
const note = (map: Map<string, Set<string>>, key: string, text: string) =>
  map.set(key, (map.get(key) ?? new Set()).add(text));

for (const { name, sections, base } of units) {
  for (const section of sections) {
    for (const { name: directive, kind } of directivesOf(section)) {
      if (kind === "command" || fatal.has(directive)) continue;
      const text = `${base}[${section}]\n${pool.map((value) => `${directive}=${value}\n`).join("")}`;
      const folder = mkdtempSync(join(tmpdir(), "lint-values-"));
      writeFileSync(join(folder, "a.service"), "[Service]\nExecStart=/bin/true\n");
      writeFileSync(join(folder, name), text);
      const command = ["verify", "--man=no", "--recursive-errors=no", join(folder, name)];
      const said = spawnSync("systemd-analyze", command, {
        encoding: "utf8",
        env: { ...process.env, SYSTEMD_COLORS: "0" },
      }).stderr;
      rmSync(folder, { recursive: true });
      const theirs = new Set([...said.matchAll(/\/a\.\w+:(\d+): /g)].map((found) => Number(found[1])));
      const found = lintUnitTexts([{ name, text }], { systemd }).filter(({ rule }) => rule !== "repeated-assignment");
      const ours = new Map(found.map((finding) => [finding.line, finding]));
      pool.forEach((value, index) => {
        const line = base.split("\n").length + 1 + index;
        lines += 1;
        if (theirs.has(line) && ours.has(line)) both += 1;
        else if (theirs.has(line)) {
          onlyTool += 1;
          note(gaps, directive, value);
        } else if (ours.get(line)?.severity === "error") {
          onlyOurs += 1;
          note(stricter, directive, value);
        }
      });
    }
  }
}
process.stdout.write(
  `systemd ${systemd}: ${lines} lines; both ${both}; only the tool ${onlyTool}; only we, as an error ${onlyOurs}\n`,
);
const print = (title: string, map: Map<string, Set<string>>) => {
  process.stdout.write(`${title}\n`);
  for (const [directive, values] of map) process.stdout.write(`  ${directive}: ${[...values].join("  ")}\n`);
};
print("only the tool:", gaps);
print("only we:", stricter);
