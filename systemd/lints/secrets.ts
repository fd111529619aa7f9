import { splitWords, WordSyntaxError } from "../words.ts";
import { allCommandsOf } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import { itemsOf } from "./linted-unit.ts";

const secretName =
  /(^|_)(PASS(WORD|WD|PHRASE)?|PWD|SECRETS?|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|AUTH_?KEY|CREDENTIALS?)(_|$)/i;
const camelSecretName = /(password|passwd|secret|token|apikey|api_key|privatekey|accesskey)$/i;
const harmlessName =
  /(^PWD$|^OLDPWD$|_(FILE|PATH|DIR|URL|URI|ID|NAME|HEADER|TTL|EXPIRY|TIMEOUT|LENGTH|ALGORITHM|ENABLED)$|^TOKENIZERS_)/i;
const urlPassword = /[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i;

/** Secrets where every local user can read them. No message holds a value. */
export const secretLints: readonly Lint[] = [
  {
    id: "secret-in-environment",
    severity: "warning",
    why: "Every local user can read Environment= by `systemctl show`, and the unit file itself.",
    fix: "Put it into a file of mode 0600 with EnvironmentFile=, or better LoadCredential=; in our components secretEnvironment or credentials.",
    hits: (unit) =>
      ["Service.Environment", "Socket.Environment"].flatMap((id) =>
        itemsOf(unit, id).flatMap((at): LintHit[] =>
          assignmentsIn(at.value)
            .filter(({ name, value }) => isSecret(name, value))
            .map(({ name }) => ({
              at,
              message: `Environment: ${name} looks like a secret, and every local user can read it`,
            })),
        ),
      ),
  },
  {
    id: "secret-in-command",
    severity: "warning",
    why: "Every local user can read command lines, by `ps` and `systemctl show`.",
    fix: "Let the program read it from a file (LoadCredential=) or from its environment (EnvironmentFile=).",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        const words = command.arguments;
        const word = words.find(({ text }, index) => {
          const option = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(text);
          const value = option?.[2] ?? (option === null ? "" : (words[index + 1]?.text ?? ""));
          const name = (option?.[1] ?? "").replaceAll("-", "_");
          if (option !== null && !value.startsWith("-") && isSecret(name, value)) return true;
          return urlPassword.test(text) && !/:\$\{?\w+\}?@/.test(text);
        });
        if (word === undefined) return [];
        const name = /^--?[A-Za-z][\w-]*(?==|$)/.exec(word.text)?.[0] ?? "a URL";
        const mark = { start: word.start, end: word.start + word.raw.length };
        return [
          {
            at: command.at,
            mark,
            message: `${command.at.key}: ${name} holds what looks like a secret, and every local user can read it`,
          },
        ];
      }),
  },
  {
    id: "secret-in-set-credential",
    severity: "warning",
    why: "The text of SetCredential= is part of the unit, which every local user can read.",
    fix: "Write LoadCredential=NAME:FILE with a file of mode 0600, or SetCredentialEncrypted=.",
    hits: (unit) =>
      itemsOf(unit, "Service.SetCredential")
        .filter(({ value }) => isSecret(value.split(":")[0] ?? "", value.slice(value.indexOf(":") + 1)))
        .map((at) => ({
          at,
          message: `SetCredential: ${at.value.split(":")[0]} looks like a secret, and every local user can read it`,
        })),
  },
];

function isSecret(name: string, value: string): boolean {
  if (urlPassword.test(value) && !/:\$\{?\w+\}?@/.test(value)) return true;
  const text = name.replaceAll("-", "_");
  if (!(secretName.test(text) || camelSecretName.test(text)) || harmlessName.test(text)) return false;
  return value.length > 0 && !/^(\/|%[a-zA-Z]\/|\$|~|(true|false|yes|no|on|off|none|null|\d{1,3})$)/i.test(value);
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

function assignmentsIn(value: string): readonly Variable[] {
  try {
    return splitWords(value)
      .filter((word) => word.includes("="))
      .map((word) => ({ name: word.slice(0, word.indexOf("=")), value: word.slice(word.indexOf("=") + 1) }));
  } catch (error) {
    if (error instanceof WordSyntaxError) return [];
    throw error;
  }
}
