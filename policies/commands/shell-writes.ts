import { type ShellInput, type ShellToken, type ShellWord, shellTokens, withEscapes } from "./shell-tokens.ts";

/** A text that a script writes to a file. */
export interface ShellWrite {
  readonly path: string;
  /** Undefined where it cannot be told from the script. */
  readonly text: string | undefined;
  /** Whether the shell puts values into the text that the script does not show. */
  readonly expands: boolean;
  /** Whether what the file holds stays. */
  readonly appends: boolean;
}

/**
 * What a script writes with `cat`, `echo`, `printf` and here-documents, by redirection, `tee`, `install /dev/stdin`,
 * `dd of=` or `systemctl edit`, in its order.
 * @param stdin what the script gets on standard input, where that is known
 */
export function shellWrites(script: string, stdin?: string): ShellWrite[] {
  return pipelines(shellTokens(script)).flatMap((stages) => pipelineWrites(stages, stdin));
}

interface Stage {
  readonly words: readonly ShellWord[];
  readonly input: ShellInput | undefined;
  readonly outputs: readonly { readonly path: string; readonly appends: boolean }[];
}

function pipelines(tokens: readonly ShellToken[]): Stage[][] {
  const all: Stage[][] = [];
  let stages: Stage[] = [];
  let stage: ShellToken[] = [];
  for (const token of [...tokens, { kind: "operator", text: ";" } as const]) {
    if (token.kind !== "operator" || (token.text !== ";" && token.text !== "|")) {
      stage.push(token);
      continue;
    }
    // Behind a `|` a new line may begin.
    if (stage.length === 0) continue;
    stages.push(stageOf(stage));
    stage = [];
    if (token.text === "|") continue;
    all.push(stages);
    stages = [];
  }
  return all;
}

function stageOf(tokens: readonly ShellToken[]): Stage {
  const words: ShellWord[] = [];
  const outputs: { path: string; appends: boolean }[] = [];
  let input: ShellInput | undefined;
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    if (token.kind === "input") input = token;
    if (token.kind !== "word") return;
    if (before?.kind !== "operator") words.push(token);
    else if (before.text !== "<") outputs.push({ path: token.text, appends: before.text === ">>" });
  });
  return { words: withoutWrappers(words), input, outputs };
}

/** `sudo -u root env A=1 tee x` is `tee x`; so is what follows `then`, `do` and `{`. */
function withoutWrappers(words: readonly ShellWord[]): readonly ShellWord[] {
  const [first] = words;
  if (first === undefined) return words;
  if (/^(then|do|else|\{|!|exec|command|nice|nohup|time)$/.test(first.text) || /^\w+=/.test(first.text))
    return withoutWrappers(words.slice(1));
  if (!/^(sudo|doas|env)$/.test(first.text)) return words;
  let next = 1;
  while (words[next]?.text.startsWith("-")) next += withValue.has(words[next]?.text) ? 2 : 1;
  return withoutWrappers(words.slice(next));
}

/** Options of `sudo`, `doas` and `env` that take the next word. */
const withValue: ReadonlySet<string | undefined> = new Set(["-u", "-g", "-C", "-D"]);

interface Source {
  readonly text: string | undefined;
  readonly expands: boolean;
}

function pipelineWrites(stages: readonly Stage[], stdin: string | undefined): ShellWrite[] {
  const writes: ShellWrite[] = [];
  let flowing: Source = { text: stdin, expands: false };
  for (const stage of stages) {
    const read: Source = stage.input ?? flowing;
    const source = printed(stage, read);
    for (const output of stage.outputs) writes.push({ ...output, ...source });
    for (const output of namedOutputs(stage.words.map(({ text }) => text))) writes.push({ ...output, ...read });
    // `tee` passes on what it reads; of others the output is what they print.
    flowing = source;
  }
  return writes;
}

/** What a command prints. */
function printed({ words }: Stage, read: Source): Source {
  const [command, ...rest] = words.map(({ text }) => text);
  const expands = words.some((word) => word.expands);
  switch (command) {
    case "cat":
      return rest.every((word) => word === "-") ? read : unknown;
    case "tee":
      return read;
    case "echo": {
      const flags = rest.findIndex((word) => !/^-[neE]+$/.test(word));
      const options = rest.slice(0, flags < 0 ? rest.length : flags).join("");
      const text = rest.slice(flags < 0 ? rest.length : flags).join(" ");
      return {
        text: `${options.includes("e") ? withEscapes(text) : text}${options.includes("n") ? "" : "\n"}`,
        expands,
      };
    }
    case "printf":
      return { text: formatted(rest[0] === "--" ? rest.slice(1) : rest), expands };
    default:
      return unknown;
  }
}

const unknown: Source = { text: undefined, expands: false };

/** What printf prints; undefined for formats other than `%s`, `%b` and `%%`. */
function formatted([format = "", ...values]: readonly string[]): string | undefined {
  const parts = format.match(/%.?/gs) ?? [];
  if (parts.some((part) => !["%%", "%s", "%b"].includes(part))) return undefined;
  const takesValues = parts.some((part) => part !== "%%");
  const left = [...values];
  let text = "";
  do {
    text += withEscapes(format).replaceAll(/%[sb%]/g, (hole) => {
      if (hole === "%%") return "%";
      const value = left.shift() ?? "";
      return hole === "%b" ? withEscapes(value) : value;
    });
  } while (takesValues && left.length > 0);
  return text;
}

/** Files that a command writes what it reads to, by their names among its arguments. */
function namedOutputs([command, ...rest]: readonly string[]): { path: string; appends: boolean }[] {
  const plain = rest.filter((word) => !word.startsWith("-"));
  switch (command) {
    case "tee": {
      const appends = rest.some((word) => word === "--append" || /^-\w*a/.test(word));
      return plain.map((path) => ({ path, appends }));
    }
    case "dd":
      return rest.flatMap((word) => (word.startsWith("of=") ? [{ path: word.slice(3), appends: false }] : []));
    case "install":
    case "cp": {
      const target = plain.at(-1);
      return rest.includes("/dev/stdin") && target !== undefined && target !== "/dev/stdin"
        ? [{ path: target, appends: false }]
        : [];
    }
    case "systemctl": {
      const edit = plain.indexOf("edit");
      const unit = edit < 0 || !rest.includes("--stdin") ? undefined : plain[edit + 1];
      if (unit === undefined) return [];
      const name = /\.[a-z]+$/.test(unit) ? unit : `${unit}.service`;
      const named = rest.find((word) => word.startsWith("--drop-in="))?.slice("--drop-in=".length) ?? "override.conf";
      const dropIn = named.endsWith(".conf") ? named : `${named}.conf`;
      const path = rest.includes("--full") ? name : `${name}.d/${dropIn}`;
      return [{ path: `/etc/systemd/system/${path}`, appends: false }];
    }
    default:
      return [];
  }
}
