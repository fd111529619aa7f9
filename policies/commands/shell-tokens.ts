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
  readonly end: string | undefined;
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
    // Blanks, the end of a line that goes on, comments.
    const nothing = /^(?:[ \t]|\\\n|#[^\n]*)/.exec(rest)?.[0];
    if (nothing !== undefined) {
      this.skip(nothing.length);
      return;
    }
    if (rest.startsWith("\n")) {
      this.line();
      return;
    }
    const string = /^<<<[ \t]*/.exec(rest)?.[0];
    if (string !== undefined) {
      this.hereString(string.length);
      return;
    }
    const here = /^\d*<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([\w.-]+))/.exec(rest);
    if (here !== null) {
      this.hereDocument(here);
      return;
    }
    const redirection = /^\d*(>>|>\||>|<)(&[\d-])?/.exec(rest);
    if (redirection !== null) {
      this.redirection(redirection);
      return;
    }
    const end = /^(?:\|\||&&|;;|[;&()]|\|&?)/.exec(rest)?.[0];
    if (end === undefined) this.word();
    else this.operator(end === "|" || end === "|&" ? "|" : ";", end.length);
  }

  skip(length: number): void {
    this.at += length;
  }

  operator(text: ShellOperator["text"], length: number): void {
    this.found.push({ kind: "operator", text });
    this.skip(length);
  }

  redirection([written, operator, copied]: RegExpExecArray): void {
    // Copies of other channels write no file.
    if (copied !== undefined) {
      this.skip(written.length);
      return;
    }
    const isOfErrors = written.startsWith("2");
    this.operator(operator === "<" || isOfErrors ? "<" : operator === ">>" ? ">>" : ">", written.length);
  }

  hereString(length: number): void {
    this.skip(length);
    this.word();
    const word = this.found.pop();
    if (word?.kind === "word") this.found.push({ ...word, kind: "input", text: `${word.text}\n` });
  }

  hereDocument([whole, dash, single, double, bare]: RegExpExecArray): void {
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
        const stop = `${this.script}\n`.indexOf("\n", this.at);
        const raw = this.script.slice(this.at, stop);
        this.at = stop + 1;
        const line = withoutTabs ? raw.replace(/^\t+/, "") : raw;
        if (line === end) break;
        body.push(line);
      }
      const text = body.map((line) => `${line}\n`).join("");
      this.found[at] = isQuoted
        ? { kind: "input", text, expands: false }
        : { kind: "input", text: text.replaceAll(/\\([$`\\\n])/g, unescaped), expands: isExpanded(text) };
    }
    this.pending = [];
  }

  word(): void {
    let text = "";
    let expands = false;
    const began = this.at;
    while (this.at < this.script.length) {
      const rest = this.script.slice(this.at);
      const quoted = /^(?:'[^']*'|\$'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/s.exec(rest)?.[0];
      if (quoted !== undefined) {
        const inner = quoted.slice(1, -1);
        if (quoted[0] === '"') {
          expands ||= isExpanded(inner);
          text += inner.replaceAll(/\\([$`"\\\n])/g, unescaped);
        } else text += quoted[0] === "$" ? withEscapes(inner.slice(1)) : inner;
        this.skip(quoted.length);
        continue;
      }
      const escaped = /^\\./s.exec(rest)?.[0];
      if (escaped !== undefined) {
        text += unescaped(escaped, escaped.slice(1));
        this.skip(2);
        continue;
      }
      const plain = /^(?:\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|\$\{[^}]*\}|[^\s;&|<>()'"\\])/.exec(rest)?.[0];
      if (plain === undefined) break;
      expands ||= isExpanded(plain);
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

/** What the shell makes of a backslash and the character behind it, which is nothing at the end of a line. */
function unescaped(_: string, character: string): string {
  return character === "\n" ? "" : character;
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
