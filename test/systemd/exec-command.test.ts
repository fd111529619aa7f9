// biome-ignore-all lint/suspicious/noTemplateCurlyInString: systemd writes its own variables as ${NAME}
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  decodedExecCommands,
  type ExecCommand,
  ExecCommandError,
  type ExecEncoding,
  encodedExecCommand,
  execPathProblem,
} from "../../systemd/exec-command.ts";
import { writableText } from "./writable-text.ts";

function command(path: string, args: string[] = [], prefixes = ""): ExecCommand {
  return { prefixes, path, arguments: args };
}

suite("encodedExecCommand", () => {
  const cases: [argv: string[], written: string, options?: ExecEncoding][] = [
    [["/usr/bin/python3", "-m", "demo"], "/usr/bin/python3 -m demo"],
    [["python3", "-c", "print('a b')"], `python3 -c "print('a b')"`],
    [["/opt/my app/run", "--x=y"], `"/opt/my app/run" --x=y`],
    [["/bin/a", ""], `/bin/a ""`],
    [["/bin/a", ";", "x;y", ";;", "\\;"], `/bin/a ";" x;y ;; "\\\\;"`],
    [["/bin/a", "100%", "%h", "%%"], "/bin/a 100%% %%h %%%%"],
    [["/bin/a", "$HOME", "${PORT}", "a$b", "$"], "/bin/a $$HOME $${PORT} a$$b $$"],
    [["/bin/a", "$HOME", "%h"], ":/bin/a $HOME %%h", { prefixes: ":" }],
    [
      ["/bin/a", "$ARGS", "--port=${PORT}", "%h/x y", "%%"],
      '/bin/a $ARGS --port=${PORT} "%h/x y" %%',
      { expand: true },
    ],
    [["%h/bin/a"], "%h/bin/a", { expand: true }],
    [["/bin/a", "a\nb", "\t", "\u0001"], '/bin/a "a\\nb" "\\t" "\\x01"'],
    [["/bin/a", "\\d+", "C:\\"], '/bin/a "\\\\d+" "C:\\\\"'],
    [["/bin/a", "| > && * ~ {a,b} #".split(" ")].flat(), "/bin/a | > && * ~ {a,b} #"],
    [["/opt/50%/a", "x"], "/opt/50%%/a x"],
    [["/opt/a$b"], "/opt/a$b"],
    [["/bin/a", "x"], "-+/bin/a x", { prefixes: "-+" }],
    [["/bin/a", "seen"], "@!!/bin/a seen", { prefixes: "@!!" }],
  ];
  for (const [argv, written, options] of cases) {
    test(`${JSON.stringify(argv)} ${options === undefined ? "" : JSON.stringify(options)}`, () => {
      assert.equal(encodedExecCommand(argv, options), written);
      const [path = "", ...rest] = argv;
      assert.deepEqual(decodedExecCommands(written, options), [command(path, rest, options?.prefixes)]);
    });
  }

  const refused: [title: string, argv: string[], message: RegExp, options?: ExecEncoding][] = [
    ["no command", [], /command is empty/],
    ["an empty executable", [""], /executable is empty/],
    ["a relative path", ["./run.sh"], /"\.\/run\.sh" is a relative path; write an absolute path/],
    ["a relative path without dot", ["bin/run"], /relative path/],
    ["a directory", ["/usr/bin/"], /is a directory/],
    ["the directory .", ["."], /is a directory/],
    ["a quote in the executable", ["/opt/o'brien/run"], /quote, a backslash or a control character/],
    ["a backslash in the executable", ["/opt/a\\b"], /quote, a backslash/],
    ["a line break in the executable", ["/opt/a\nb"], /control character/],
    ["a plain name that begins with a prefix", ["-run"], /begins with -/],
    ["a plain name that begins with |", ["|run"], /begins with \|/],
    ["a plain name that begins with $", ["$SHELL"], /begins with \$/],
    ["a semicolon", [";"], /begins with ;/],
    ["NUL", ["/bin/a", "ok", "secret\0"], /argument 2 holds a NUL character at index 6/],
    ["half of a surrogate pair", ["/bin/a", "\ud83d"], /argument 1 holds half of a surrogate pair/],
    ["contradicting prefixes", ["/bin/a"], /prefixes "!\+"/, { prefixes: "!+" }],
    ["a repeated prefix", ["/bin/a"], /prefixes "--"/, { prefixes: "--" }],
    ["an unknown prefix", ["/bin/a"], /prefixes "\|"/, { prefixes: "|" }],
    ["@ without argv[0]", ["/bin/a"], /needs a second item/, { prefixes: "@" }],
    ["an unknown specifier to expand", ["/bin/a", "%z"], /argument 1: %z is no specifier/, { expand: true }],
    ["a specifier in a literal path", ["%h/bin/a"], /relative path/],
  ];
  for (const [title, argv, message, options] of refused) {
    test(`refuses ${title}`, () => {
      assert.throws(
        () => encodedExecCommand(argv, options),
        (error) =>
          error instanceof ExecCommandError && message.test(error.message) && !error.message.includes("secret"),
      );
    });
  }
});

suite("decodedExecCommands", () => {
  const cases: [value: string, commands: ExecCommand[], options?: ExecEncoding][] = [
    ["", []],
    ["  ", []],
    ["/a ; /b x ;", [command("/a"), command("/b", ["x"])]],
    ["; /a ; ; /b", [command("/a"), command("/b")]],
    [`/a \\; ";" ';' x; ;y \\;z`, [command("/a", [";", ";", ";", "x;", ";y", "\\;z"])]],
    ["-@:+/a zero $$x", [command("/a", ["zero", "$$x"], "-@:+")]],
    ["!!/a ; !/b ; !-!/c", [command("/a", [], "!!"), command("/b", [], "!"), command("/c", [], "!-!")]],
    [`-"/a b" c`, [command("/a b", ["c"], "-")]],
    [`"-/a b" c`, [command("/a b", ["c"], "-")]],
    ["+!/a", [command("!/a", [], "+")]],
    ["/a %% %h $$ $$X ${X} $X $A$$", [command("/a", ["%", "%h", "$", "$X", "${X}", "$X", "$A$$"])]],
    ["/a %% %h $$ $$X ${X} $X", [command("/a", ["%%", "%h", "$$", "$$X", "${X}", "$X"])], { expand: true }],
    ["%h/a \\x25%", [command("%h/a", ["%"])]],
  ];
  for (const [value, commands, options] of cases) {
    test(JSON.stringify(value), () => assert.deepEqual(decodedExecCommands(value, options), commands));
  }

  const refused: [value: string, message: RegExp][] = [
    ['/a "b', /quote " at index 3 is never closed/],
    ["'/a", /never closed/],
    ["-", /no executable behind "-"/],
    ['/a ; ""', /no executable behind ""/],
    ["@/a", /second word/],
  ];
  for (const [value, message] of refused) {
    test(`refuses ${value}`, () => {
      assert.throws(
        () => decodedExecCommands(value),
        (error) => error instanceof ExecCommandError && message.test(error.message),
      );
    });
  }
});

suite("round trip", () => {
  const pieces = [..."ab %${}\\\"';:\n\r\t-=é😀\u200b"];
  const argument = fc.oneof(
    writableText(pieces),
    fc.constantFrom(";", "\\;", "$X", "${X}", "%h", "$$", "%%", "", "\\"),
  );
  const path = fc.oneof(
    fc.constantFrom("python3", "/bin/sh", "/opt/a b/%h/c", "/opt/$x", "a;b", "ü"),
    fc
      .string({ unit: fc.constantFrom(..."ab/%$ ;:-é"), minLength: 1 })
      .filter((text) => execPathProblem(text) === undefined),
  );
  const prefixes = fc.constantFrom("", "-", "@", ":", "+", "!", "!!", "-:", "@-!!");

  test("what is encoded is decoded the same, as one command on one line", () => {
    fc.assert(
      fc.property(path, fc.array(argument, { maxLength: 4 }), prefixes, (executable, rest, special) => {
        const args = special.includes("@") ? ["zero", ...rest] : rest;
        const value = encodedExecCommand([executable, ...args], { prefixes: special });
        assert.doesNotMatch(value, /[\n\r]/);
        assert.deepEqual(decodedExecCommands(value), [command(executable, args, special)]);
      }),
      { numRuns: 400 },
    );
  });

  test("with expand, too", () => {
    const expandable = argument.map((text) => text.replaceAll(/%(?=[A-Za-z0-9])/g, "%%"));
    fc.assert(
      fc.property(fc.array(expandable, { maxLength: 4 }), (args) => {
        const value = encodedExecCommand(["/bin/a", ...args], { expand: true });
        assert.deepEqual(decodedExecCommands(value, { expand: true }), [command("/bin/a", args)]);
      }),
      { numRuns: 500 },
    );
  });
});
