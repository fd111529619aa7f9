import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { shellWrites } from "../../../policies/commands/shell-writes.ts";

const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-shell-"));
after(() => rmSync(folder, { recursive: true }));
let run = 0;

/** What sh itself writes into an empty folder, by file. */
function byShell(script: string, input: string): Record<string, string> {
  const cwd = join(folder, String(run++));
  mkdirSync(cwd);
  const { status, stderr } = spawnSync("sh", ["-c", script], { cwd, input, encoding: "utf8", timeout: 10_000 });
  assert.equal(status, 0, stderr);
  return Object.fromEntries(readdirSync(cwd).map((file) => [file, readFileSync(join(cwd, file), "utf8")]));
}

/** The same, as it is read from the script. */
function byReading(script: string, stdin: string): Record<string, string | undefined> {
  const files: Record<string, string | undefined> = {};
  for (const { path, text, appends } of shellWrites(script, stdin)) {
    if (path.startsWith("/dev/")) continue;
    files[path] = appends ? `${files[path] ?? ""}${text}` : text;
  }
  return files;
}

const unit = "[Service]\nExecStart=/usr/bin/api\n";
const scripts: [what: string, script: string][] = [
  ["a here-document", `cat > a.service <<EOF\n${unit}EOF\n`],
  ["the redirection behind it", `cat <<EOF > a.service\n${unit}EOF\n`],
  ["no blank", `cat >a.service<<EOF\n${unit}EOF`],
  ["quotes around its end", `cat <<'EOF' >a.service\n${unit}Environment=A=$HOME "b"\nEOF\n`],
  ["double quotes around its end", `cat <<"THE END" >a.service\n${unit}THE END\n`],
  ["a backslash before its end", `cat <<\\EOF >a.service\n$HOME\nEOF\n`],
  ["escapes in it", "cat <<EOF >a.service\nExecStart=/bin/kill \\$MAINPID \\\\ \\n\nEOF\n"],
  ["tabs before its lines", "cat <<-EOF > a.service\n\t[Service]\n\t\tUser=a\n\tEOF\n"],
  ["two on one line", "cat <<A > a.service; cat <<B > b.service\n[A]\nA\n[B]\nB\n"],
  ["lines that follow", `cat <<EOF > a.service\n${unit}EOF\necho done > b.service\n`],
  ["tee", `tee a.service <<EOF\n${unit}EOF\n`],
  ["tee to several, its output away", `tee a.service b.service <<EOF >/dev/null\n${unit}EOF\n`],
  ["tee behind a pipe", `echo '${unit}' | tee a.service > /dev/null`],
  ["cat and tee", `cat <<EOF | tee a.service | tee b.service >/dev/null\n${unit}EOF\n`],
  ["tee that appends", "echo '[Service]' > a.service\necho User=a | tee -a a.service"],
  ["echo in quotes over lines", `echo "[Service]\nUser=a" > a.service`],
  ["echo without a line end", "echo -n '[Service]' > a.service"],
  ["echo of many words", "echo   a  'b  c'   d > a.service"],
  ["echo twice", "echo '[Service]' > a.service && echo User=a >> a.service"],
  ["a file written again", "echo old > a.service; echo new > a.service"],
  ["printf", "printf '[Service]\\nUser=%s\\n' orders > a.service"],
  ["printf with more values than holes", "printf '%s\\n' '[Service]' User=a 'A=100%' > a.service"],
  ["printf of percents and backslashes", "printf '100%% \\\\ %b' 'a\\tb' > a.service"],
  ["standard input", "cat > a.service"],
  ["standard input by name", "tee a.service > /dev/null"],
  ["install", "cat | install -m 644 /dev/stdin a.service"],
  ["dd", "dd of=a.service status=none"],
  ["env and then", "if true; then env A=1 tee a.service >/dev/null <<EOF\nx\nEOF\nfi"],
  ["a comment", "# cat > b.service <<EOF\necho x > a.service # > c.service\n"],
  ["a joined line", "echo a \\\n  b \\\n  > a.service"],
  ["escaped blanks", 'echo a\\ b\\"c > a.service'],
  ["a here-string of bash is not sh, so a group", "{ echo a; } > /dev/null; (echo b > a.service)"],
  ["errors elsewhere", "echo a > a.service 2>&1; ls /nowhere-at-all 2>/dev/null || true"],
];

suite("what a script writes", () => {
  for (const [what, script] of scripts) {
    test(`is read as sh does it: ${what}`, () => {
      assert.deepEqual(byReading(script, unit), byShell(script, unit));
    });
  }

  test("is by sudo and systemctl edit what it is without them", () => {
    const one = (script: string) => shellWrites(script, unit).map(({ path, text }) => [path, text]);
    assert.deepEqual(one("sudo -u root tee /etc/systemd/system/a.service"), [["/etc/systemd/system/a.service", unit]]);
    assert.deepEqual(one("sudo systemctl edit --stdin api"), [
      ["/etc/systemd/system/api.service.d/override.conf", unit],
    ]);
    assert.deepEqual(one("systemctl edit --stdin --drop-in=50-user a.socket <<EOF\nx\nEOF"), [
      ["/etc/systemd/system/a.socket.d/50-user.conf", "x\n"],
    ]);
    assert.deepEqual(one("systemctl edit --full --stdin a.service"), [["/etc/systemd/system/a.service", unit]]);
    assert.deepEqual(one("systemctl edit a.service"), []);
    assert.deepEqual(one("cat <<< '[Service]' > a.service"), [["a.service", "[Service]\n"]]);
    assert.deepEqual(one("echo $'[Service]\\nUser=a' > a.service"), [["a.service", "[Service]\nUser=a\n"]]);
    assert.deepEqual(one("echo -e '[Service]\\nUser=a' > a.service"), [["a.service", "[Service]\nUser=a\n"]]);
  });

  test("is told to hold what the shell puts in", () => {
    const expands = (script: string) => shellWrites(script).map((write) => write.expands);
    assert.deepEqual(expands("cat <<EOF > a\nUser=$USER\nEOF"), [true]);
    assert.deepEqual(expands("cat <<'EOF' > a\nUser=$USER\nEOF"), [false]);
    assert.deepEqual(expands("cat <<EOF > a\nUser=\\$USER\nEOF"), [false]);
    assert.deepEqual(expands('echo "User=$USER" > a; echo User=`id -u` > a; echo User=$(id -u) > a'), [
      true,
      true,
      true,
    ]);
    assert.deepEqual(expands("echo 'User=$USER' > a; printf '%s' \"\\$A\" > a"), [false, false]);
  });

  test("is not known where another program prints it, or nothing says what standard input holds", () => {
    const texts = (script: string) => shellWrites(script).map(({ path, text }) => [path, text]);
    assert.deepEqual(texts("envsubst < a.tpl > a.service"), [["a.service", undefined]]);
    assert.deepEqual(texts("cat a.tpl > a.service"), [["a.service", undefined]]);
    assert.deepEqual(texts("sed s/a/b/ a.tpl | tee a.service"), [["a.service", undefined]]);
    assert.deepEqual(texts("printf '%d' 5 > a.service; cat > b.service"), [
      ["a.service", undefined],
      ["b.service", undefined],
    ]);
  });

  test("comes to an end on any text", () => {
    for (const script of ["'", '"', "$(", "<<", "cat <<EOF", "> ", "\\", "`", "${", "((", "a 2>&1 | ", "<<<"]) {
      assert.ok(Array.isArray(shellWrites(script)), script);
    }
  });
});
