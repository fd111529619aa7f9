import type { PulumiRun } from "../../setup/pulumi-cli.ts";

/** What an update that failed tells a person, without the provider's own first line. */
export interface Diagnosis {
  /** The lines of the host program. */
  readonly told: readonly string[];
  /** Lines of the journal that it quotes, without time and process id: `systemd: Started api.`. */
  readonly journal: readonly string[];
}

/**
 * What the update says of one host in its diagnostics.
 * @param command name of the host's command in the stack
 * @throws Error with Pulumi's output when that says nothing of the host
 */
export function diagnosis(run: PulumiRun, command: string): Diagnosis {
  const [, diagnostics = ""] = run.output.split(/^Diagnostics:$/m);
  const lines = diagnostics.split("\n");
  const start = lines.indexOf(`  command:remote:Command (${command}):`);
  if (start < 0) throw new Error(`nothing about ${command} in:\n${run.output}`);
  const length = lines.slice(start).findIndex((line) => line.trim() === "");
  const body = lines.slice(start + 2, start + length).map((line) => line.slice(4));
  const quoted = /^ {4}\S+T\S+ (\S+)\[\d+\]: /;
  return {
    told: body.filter((line) => !quoted.test(line)),
    journal: body.filter((line) => quoted.test(line)).map((line) => line.replace(quoted, "$1: ")),
  };
}
