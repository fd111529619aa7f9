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
const input = "[Socket]\nListenStream=80\n";
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
  ["double quotes around an end of one letter", 'cat <<"E" >a.service\n$HOME \\$HOME\nE\n'],
  ["lines that go on", 'cat <<EOF >a.service\nExecStart=/bin/a \\\n  --b\nEOF\necho "c\\\nd" e\\\nf > b.service'],
  ["an escaped backslash at the end of a line", 'echo "a\\\\\nb" > a.service; cat <<EOF > b.service\na\\\\\nb\nEOF\n'],
  ["escapes in double quotes", 'echo "\\$HOME \\\\ \\" \\x" > a.service'],
  ["quotes of both kinds in one word", `echo a'b "c'"d 'e"f > a.service`],
  ["tabs within a line", "cat <<-EOF > a.service\n\tUser=a\tb\nGroup=a\tb\n\tEOF\n"],
  ["a here-document that the end of the script ends", "cat <<EOF > a.service\nUser=a\n"],
  ["one without its lines", "cat <<EOF > a.service"],
  ["a pipe before the end of the line", `cat <<EOF |\n${unit}EOF\n  tee a.service >/dev/null`],
  ["a comment at the end", "echo a > a.service\n# echo b > b.service"],
  ["what only looks like operators", "echo a ';' '|' \\; '>' b > a.service"],
  ["its errors to its output, by a pipe", "echo a 2>&1 | tee a.service >/dev/null"],
  ["words behind a copied channel", ">&2 echo a; echo a 2>&1 b > a.service"],
  ["percents with values that nothing takes", "printf '100%%\\n' a b > a.service"],
  ["a closed channel", "echo a > a.service 2>&-; echo b 2>&- > b.service"],
  ["a file that may not be overwritten otherwise", "echo a >| a.service"],
  ["variables before the command", "A_1=b B=c tee a.service >/dev/null"],
  ["cat by name", "cat - > a.service"],
  ["echo of nothing", "echo > a.service; echo -n > b.service"],
  ["echo of what is no option", "echo a-n > a.service; echo -nx > b.service"],
  ["a long option of tee", "echo a > a.service; echo b | tee --append a.service; echo c | tee -ia a.service"],
  ["a path that is no option", "echo a > x-a.service; tee x-a.service </dev/null; echo b | tee x-a.service"],
  ["printf without a value, and with too few", "printf '[A]\\n' > a.service; printf '%s-%s\\n' a > b.service"],
  ["printf of a value with a backslash", "printf '%s|%b' 'a\\tb' 'c\\td' > a.service"],
  ["printf of escapes", "printf 'a\\rb \\\\' > a.service"],
  ["printf of percents alone", "printf '%%s %%%%' > a.service; printf '%%%s' b c > b.service"],
  ["printf behind the end of its options", "printf -- '%s\\n' a > a.service"],
  ["dd and install over what is there", "echo a > a.service; dd of=a.service status=none"],
  ["install over what is there", "echo a > a.service; cat | install /dev/stdin a.service"],
  ["cp of standard input", "echo a > a.service; cat | cp /dev/stdin a.service"],
  ["errors elsewhere", "echo a > a.service 2>&1; ls /nowhere-at-all 2>/dev/null || true"],
];

suite("what a script writes", () => {
  for (const [what, script] of scripts) {
    test(`is read as sh does it: ${what}`, () => {
      assert.deepEqual(byReading(script, input), byShell(script, input));
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
    assert.deepEqual(one("echo a |& tee a.service"), [["a.service", "a\n"]]);
    assert.deepEqual(one("systemctl --stdin restart a.service"), []);
    assert.deepEqual(one("systemctl edit --full --stdin my.app-1"), [["/etc/systemd/system/my.app-1.service", unit]]);
    for (const options of ["-u www", "-g adm", "-C 3", "-D /srv", "-n", "-n -u www --", "env A=1", "env -i"]) {
      assert.deepEqual(one(`sudo ${options} tee a.service`), [["a.service", unit]], options);
    }
    assert.deepEqual(one("cat <<< '[Service]' > a.service"), [["a.service", "[Service]\n"]]);
    assert.deepEqual(one("cat <<<[Service] >a.service"), [["a.service", "[Service]\n"]]);
    assert.deepEqual(one("echo $'[Service]\\nUser=a' > a.service"), [["a.service", "[Service]\nUser=a\n"]]);
    assert.deepEqual(one(`echo $'a\\'b' $'\\"' > a.service`), [["a.service", "a'b \"\n"]]);
    assert.deepEqual(one("echo -e '[Service]\\nUser=a' > a.service"), [["a.service", "[Service]\nUser=a\n"]]);
  });

  test("is by echo of bash what it is there, where sh differs", () => {
    const one = (script: string) => shellWrites(`${script} > a.service`).map(({ text }) => text);
    assert.deepEqual(one("echo 'a\\tb'"), ["a\\tb\n"]);
    assert.deepEqual(one(`printf 'a\\"b'`), ['a"b']);
    assert.deepEqual(one("echo -ne 'a\\tb'"), ["a\tb"]);
    assert.deepEqual(one("echo -n -E 'a\\tb'"), ["a\\tb"]);
  });

  test("is nothing where another command only ends like one of these, or begins like it", () => {
    for (const command of [
      "docker tee a",
      "mysudo tee a",
      "sudoedit tee a",
      "x-A=1 tee a",
      "sudo",
      "A=1",
      "cp a /dev/stdin",
    ])
      assert.deepEqual(shellWrites(command, unit), [], command);
    assert.deepEqual(shellWrites("install /dev/stdin", unit), []);
    assert.deepEqual(shellWrites("install a.tpl a.service", unit), []);
    const [write, ...more] = shellWrites("ls > a.service 2> errors.service", unit);
    assert.deepEqual([write, more], [{ path: "a.service", text: undefined, expands: false, appends: false }, []]);
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
    assert.deepEqual(expands('echo "$USER" > a; echo a "$USER" b > a; printf "%s" "\\\\$USER" > a'), [
      true,
      true,
      true,
    ]);
    assert.deepEqual(expands("cat <<EOF > a"), [false]);
    assert.deepEqual(expands("echo User=a > a; echo User=a\\$b > a; echo a$ > a"), [false, false, true]);
    assert.deepEqual(
      shellWrites("tee a", "User=$USER").map((write) => write.expands),
      [false],
    );
    const parts = ["$(a b)", "$(a (b c) d)", "`a; b`", "${A:-b;c}"];
    for (const part of parts) {
      const all = [{ path: "a", text: `x${part}y\n`, expands: true, appends: false }];
      assert.deepEqual(shellWrites(`echo x${part}y > a`), all);
    }
    assert.deepEqual(expands("echo 'User=$USER' > a; printf '%s' \"\\$A\" > a"), [false, false]);
  });

  test("is not known where another program prints it, or nothing says what standard input holds", () => {
    const texts = (script: string, stdin?: string) => shellWrites(script, stdin).map(({ path, text }) => [path, text]);
    assert.deepEqual(texts("envsubst < a.tpl > a.service", unit), [["a.service", undefined]]);
    assert.deepEqual(texts("cat a.tpl > a.service", unit), [["a.service", undefined]]);
    assert.deepEqual(texts("cat - a.tpl > a.service", unit), [["a.service", undefined]]);
    assert.deepEqual(texts("printf > a.service; printf 100% > a.service"), [
      ["a.service", ""],
      ["a.service", undefined],
    ]);
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
