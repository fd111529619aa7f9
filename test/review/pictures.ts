/**
 * `node test/review/pictures.ts [FOLDER]`: looks at the page of a review in a headless Chromium, which must be installed: pictures
 * of it on a light, a dark and a narrow screen and on paper (in docs, unless told otherwise). It ends with 1 when the browser's
 * console has an error, or axe-core finds anything of impact serious or critical on either ground.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { review } from "../../cli/review/review.ts";
import { recordingTerminal } from "../cli/recording-terminal.ts";

const repository = join(import.meta.dirname, "../..");
const out = process.argv[2] ?? join(repository, "docs");
const cwd = mkdtempSync(join(tmpdir(), "review-pictures-"));
const page = join(cwd, "review.html");
const problems: string[] = [];
try {
  await writeReview();
  picture("review-light.png", "1100,1500", "--blink-settings=preferredColorScheme=1");
  picture("review-dark.png", "1100,1500", "--blink-settings=preferredColorScheme=0");
  picture("review-narrow.png", "500,1500", "--blink-settings=preferredColorScheme=1");
  printed("review-print.png");
  for (const [ground, scheme] of [
    ["light", 1],
    ["dark", 0],
  ] as const) {
    problems.push(...axeProblems(`--blink-settings=preferredColorScheme=${scheme}`).map((one) => `${ground}: ${one}`));
  }
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(`${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** A change of a small stack that has something of everything. */
async function writeReview(): Promise<void> {
  for (const name of [
    "index.ts",
    "main.js",
    "build",
    "package.json",
    "Pulumi.yaml",
    "components",
    "program",
    "systemd",
    "activation",
    "policies",
  ])
    cpSync(join(repository, name), join(cwd, name), { recursive: true });
  for (const name of ["sandbox", "setup"]) cpSync(join(repository, name), join(cwd, name), { recursive: true });
  for (const name of ["node_modules", "bin"]) symlinkSync(join(repository, name), join(cwd, name));
  writeFileSync(join(cwd, ".gitignore"), "/node_modules\n/bin\n/review.html\n");
  const limited = { MemoryMax: "512M" };
  const api = { exec: ["/usr/bin/orders"], type: "notify", watchdogSec: "30s", socket: "api.socket" };
  const secret = (text: string) => ({ secretEnvironment: { API_KEY: { secure: text } } });
  const stack = {
    sockets: { api: { listenStream: "127.0.0.1:8000" } },
    services: {
      api: { ...api, service: limited, ...secret("v1:YWJj:ZGVm") },
      worker: { exec: ["/usr/bin/worker"], service: limited },
      legacy: { exec: ["/usr/bin/legacy"] },
    },
    timers: {
      nightly: {
        onCalendar: "03:00",
        randomizedDelaySec: "10min",
        service: { exec: ["/usr/bin/clean"], service: limited },
      },
    },
  };
  write(stack, ["web1", "web2", "web3"]);
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", cwd, "-c", "user.name=x", "-c", "user.email=x@example.org", ...args], { stdio: "pipe" });
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message=before");
  const until = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 10);
  const waive = [{ policy: "sandbox-tier", reason: "loads native plug-ins until ticket 1234", until }];
  const open = { ...limited, PrivateDevices: false, ProtectKernelTunables: false };
  write(
    {
      ...stack,
      sockets: { api: { listenStream: "0.0.0.0:8443" } },
      services: {
        api: { ...api, watchdogSec: "60s", service: limited, ...secret("v1:eHl6:MTIz") },
        worker: { exec: ["/usr/bin/worker", "--fast"], service: open, waive },
        legacy: { exec: ["/usr/bin/legacy"], service: limited },
      },
      timers: { nightly: { ...stack.timers.nightly, onCalendar: "*-*-* 02:30 Europe/Berlin" } },
    },
    ["web1", "web2", "web3"],
  );
  const policyPackConfig = join(cwd, "policies/config/prod.json");
  const options = { cwd, stack: "prod", base: "HEAD", timezone: "UTC", html: page, policyPackConfig };
  await review(options, recordingTerminal());
  // The name of a folder of this machine tells a reader nothing.
  writeFileSync(page, readFileSync(page, "utf8").replaceAll(`${cwd}/`, ""));
}

function write(config: object, hosts: readonly string[]): void {
  const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
  const connections = hosts.map((name) => [name, { connection: { host: `${name}.example.org`, hostKey } }]);
  const all = { hosts: Object.fromEntries(connections), ...config };
  const entries = Object.entries(all).map(([key, value]) => [`pulumi-systemd:${key}`, value]);
  writeFileSync(join(cwd, "Pulumi.prod.yaml"), JSON.stringify({ config: Object.fromEntries(entries) }));
}

function chromium(...args: string[]): { stdout: string; stderr: string } {
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"];
  const run = spawnSync("chromium", [...quiet, ...args], { encoding: "utf8", timeout: 120_000, maxBuffer: 1 << 26 });
  if (run.error !== undefined) throw run.error;
  for (const line of run.stderr.split("\n")) if (line.includes("CONSOLE")) problems.push(line);
  return run;
}

function picture(name: string, size: string, scheme: string): void {
  chromium(scheme, `--window-size=${size}`, `--screenshot=${join(out, name)}`, `file://${page}`);
}

/** The first page as it is printed. */
function printed(name: string): void {
  const pdf = join(cwd, "review.pdf");
  chromium(`--print-to-pdf=${pdf}`, "--no-pdf-header-footer", `file://${page}`);
  const target = join(out, name.replace(/\.png$/, ""));
  execFileSync("pdftoppm", ["-png", "-singlefile", "-r", "80", pdf, target]);
}

/** What axe-core finds of impact serious or critical. It runs in a copy of the page, which itself has no script. */
function axeProblems(scheme: string): string[] {
  const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const run =
    "axe.run().then(({ violations, passes }) => { document.title = 'axe ' + JSON.stringify({ passes: passes.length, violations: violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html) })) }); });";
  const copy = join(cwd, "axe.html");
  const script = `<script>${source.replaceAll("</script", "<\\/script")}</script><script>${run}</script></body>`;
  writeFileSync(
    copy,
    readFileSync(page, "utf8").replace("</body>", () => script),
  );
  const { stdout } = chromium(scheme, "--virtual-time-budget=20000", "--dump-dom", `file://${copy}`);
  const told = /<title>axe (.*?)<\/title>/s.exec(stdout)?.[1];
  if (told === undefined) return ["axe-core did not end"];
  const text = told.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const { passes, violations }: { passes: number; violations: { id: string; impact: string; nodes: string[] }[] } =
    JSON.parse(text);
  console.log(
    `axe-core: ${passes} rules pass, ${violations.map(({ id, impact }) => `${id} (${impact})`).join(", ") || "none is broken"}`,
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).join(" ")}`);
}
