/** A word of a shell script, without its quotes. */
export interface ShellWord {
  readonly kind: "word";
  readonly text: string;
  /** Whether the shell puts something else in place of a part of it: a variable, a command's output. */
  readonly expands: boolean;
}

/** Text behind `<<`, or the word behind `<<<`. */
export interface ShellInput {
  readonly kind: "input";
  readonly text: string;
  readonly expands: boolean;
}

/** What stands between words: `>`, `>>`, `|`, or `;` for all that ends a command. */
export interface ShellOperator {
  readonly kind: "operator";
  readonly text: ">" | ">>" | "<" | "|" | ";";
}

export type ShellToken = ShellWord | ShellInput | ShellOperator;

interface PendingInput {
  readonly at: number;
  readonly end: string;
  readonly isQuoted: boolean;
  readonly withoutTabs: boolean;
}

/**
 * The words, redirections and here-documents of a shell script: as much of the language of sh(1) as it takes to see what
 * `cat`, `tee`, `echo` and `printf` write where. Keywords are words; functions and loops are not followed.
 */
export function shellTokens(script: string): ShellToken[] {
  return new ShellReader(script).tokens();
}

class ShellReader {
  readonly script: string;
  readonly found: ShellToken[] = [];
  pending: PendingInput[] = [];
  at = 0;

  constructor(script: string) {
    this.script = script;
  }

  tokens(): ShellToken[] {
    while (this.at < this.script.length) this.next();
    return this.found;
  }

  next(): void {
    const rest = this.script.slice(this.at);
    const blank = /^(?:[ \t]|\\\n)+/.exec(rest)?.[0];
    if (blank !== undefined) {
      this.skip(blank.length);
      return;
    }
    if (rest.startsWith("\n")) {
      this.line();
      return;
    }
    if (rest.startsWith("#")) {
      this.skip(/^[^\n]*/.exec(rest)?.[0].length ?? 1);
      return;
    }
    if (rest.startsWith("<<<")) {
      this.hereString();
      return;
    }
    const here = /^\d*<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([\w.-]+))/.exec(rest);
    if (here !== null) {
      this.hereDocument(here);
      return;
    }
    const redirection = /^\d*(>>|>\||>|<)(?:&\d|&-)?/.exec(rest);
    if (redirection !== null) {
      this.redirection(redirection[0], redirection[1] ?? ">");
      return;
    }
    const end = /^(?:\|\||&&|;;|[;&()]|\|&?)/.exec(rest)?.[0];
    if (end === undefined) this.word();
    else this.operator(/^\|&?$/.test(end) ? "|" : ";", end.length);
  }

  skip(length: number): void {
    this.at += length;
  }

  operator(text: ShellOperator["text"], length: number): void {
    this.found.push({ kind: "operator", text });
    this.skip(length);
  }

  redirection(written: string, operator: string): void {
    // Copies of other channels write no file.
    if (/&(\d|-)$/.test(written)) {
      this.skip(written.length);
      return;
    }
    const isOfErrors = /^2/.test(written);
    this.operator(operator === "<" || isOfErrors ? "<" : operator === ">>" ? ">>" : ">", written.length);
  }

  hereString(): void {
    this.skip(3);
    this.skip(/^[ \t]*/.exec(this.script.slice(this.at))?.[0].length ?? 0);
    this.word();
    const word = this.found.pop();
    if (word?.kind === "word") this.found.push({ ...word, kind: "input", text: `${word.text}\n` });
  }

  hereDocument([whole, dash, single, double, bare = ""]: RegExpExecArray): void {
    const end = single ?? double ?? bare;
    const isQuoted = single !== undefined || double !== undefined || whole.includes("\\");
    this.pending.push({ at: this.found.length, end, isQuoted, withoutTabs: dash === "-" });
    this.found.push({ kind: "input", text: "", expands: false });
    this.skip(whole.length);
  }

  /** The end of a line: here-documents that it has announced follow. */
  line(): void {
    this.operator(";", 1);
    for (const { at, end, isQuoted, withoutTabs } of this.pending) {
      const body: string[] = [];
      while (this.at < this.script.length) {
        const stop = this.script.indexOf("\n", this.at);
        const raw = this.script.slice(this.at, stop < 0 ? undefined : stop);
        this.at = stop < 0 ? this.script.length : stop + 1;
        const line = withoutTabs ? raw.replace(/^\t+/, "") : raw;
        if (line === end) break;
        body.push(line);
      }
      const text = body.map((line) => `${line}\n`).join("");
      this.found[at] = isQuoted
        ? { kind: "input", text, expands: false }
        : { kind: "input", text: text.replaceAll(/\\([$`\\])/g, "$1"), expands: isExpanded(text) };
    }
    this.pending = [];
  }

  word(): void {
    let text = "";
    let expands = false;
    const began = this.at;
    while (this.at < this.script.length) {
      const rest = this.script.slice(this.at);
      const part =
        /^'([^']*)'/.exec(rest) ?? /^\$'((?:[^'\\]|\\.)*)'/s.exec(rest) ?? /^"((?:[^"\\]|\\.)*)"/s.exec(rest);
      if (part !== null) {
        const [whole, inner = ""] = part;
        if (whole.startsWith('"')) {
          expands ||= isExpanded(inner);
          text += inner.replaceAll(/\\([$`"\\])/g, "$1").replaceAll("\\\n", "");
        } else text += whole.startsWith("$") ? withEscapes(inner) : inner;
        this.skip(whole.length);
        continue;
      }
      const escaped = /^\\(.)/s.exec(rest);
      if (escaped !== null) {
        if (escaped[1] !== "\n") text += escaped[1];
        this.skip(2);
        continue;
      }
      const plain = /^(?:\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|\$\{[^}]*\}|[^\s;&|<>()'"\\])/.exec(rest)?.[0];
      if (plain === undefined) break;
      expands ||= isExpanded(plain) || rest.startsWith("$");
      text += plain;
      this.skip(plain.length);
    }
    // A quote that nothing closes: the script is none, and no word of it counts.
    if (this.at === began) {
      this.skip(1);
      return;
    }
    this.found.push({ kind: "word", text, expands });
  }
}

/** Whether the shell expands a part of a text in which it looks for that. */
function isExpanded(text: string): boolean {
  return /(^|[^\\])(\\\\)*[$`]/.test(text);
}

/** What printf and `$'...'` make of backslashes. */
export function withEscapes(text: string): string {
  const plain: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"' };
  return text.replaceAll(/\\(.)/gs, (whole, character: string) => plain[character] ?? whole);
}
