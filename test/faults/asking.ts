import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bundle } from "../../activation/bundle.ts";
import { sha256 } from "../../activation/digests.ts";
import { hostCommand, sentInput } from "../../activation/host-command.ts";
import { type HostProgram, hostProgram } from "../../activation/host-program.ts";
import { packedText, unpackedText } from "../../activation/packed-text.ts";
import { type Receipt, receiptSchema } from "../../activation/receipt.ts";
import { programName } from "../../activation/uploads.ts";
import { type SandboxHost, sshCommand } from "../../sandbox/host.ts";

/** How a request ended for the one who asked. */
export interface Answered {
  /** Exit status of ssh; -1 when it was ended. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A request that is under way over SSH, as Pulumi's command provider makes it. */
export interface Asked {
  readonly answered: Promise<Answered>;
  /** Ends the client, as a CI job that is cancelled does. */
  hangUp(): void;
}

/**
 * Asks a host for a transaction as a Host does: the program travels as a file of the login user's, where the host does not have it
 * yet, and the request names it.
 * @param before Python text that the host program begins with, to make it fail
 */
export function asked(host: SandboxHost, bundle: Bundle, options: AskOptions = {}): Asked {
  const { operation = "apply", before = "", timeoutSec = 90 } = options;
  const program = before === "" ? hostProgram() : failingProgram(before);
  const name = programName(bundle.scope, program.programSha256);
  const input = sentInput(bundle);
  const request = `${program.sha256} ${name}${input.slice(input.indexOf("\n"))}`;
  const sent = `if [ -e /var/lib/pulumi-systemd-programs/${name} ]; then cat >/dev/null; else cat >${name}; fi`;
  const ended = new AbortController();
  const bound = setTimeout(() => ended.abort(), timeoutSec * 1000);
  const answered = ran(host, sent, program.packed, ended.signal)
    .then((copied) =>
      copied.code === 0 && !ended.signal.aborted ? ran(host, hostCommand(operation), request, ended.signal) : copied,
    )
    .finally(() => clearTimeout(bound));
  return { answered, hangUp: () => ended.abort() };
}

function failingProgram(before: string): Pick<HostProgram, "packed" | "sha256" | "programSha256"> {
  const text = before + unpackedText(hostProgram().packed);
  const packed = packedText(text);
  return { packed, sha256: sha256(packed), programSha256: sha256(text) };
}

/** Seconds of one login that does nothing: a request has one of them before the transaction's own. */
export async function loginSeconds(host: SandboxHost): Promise<number> {
  const began = Date.now();
  const { code, stderr } = await ran(host, "true", "", new AbortController().signal);
  if (code !== 0) throw new Error(`${host.name}: no login: ${stderr}`);
  return (Date.now() - began) / 1000;
}

/** Runs a command over SSH until it ends, or is ended with the signal. */
function ran(host: SandboxHost, command: string, input: string, signal: AbortSignal): Promise<Answered> {
  const [ssh = "ssh", ...words] = sshCommand(host.connection);
  const child = spawn(ssh, [...words, command]);
  const end = () => child.kill("SIGKILL");
  signal.addEventListener("abort", end);
  const out: Buffer[] = [];
  const error: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => error.push(chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise<Answered>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      signal.removeEventListener("abort", end);
      resolve({ code: code ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(error).toString() });
    });
  });
}

export interface AskOptions {
  readonly operation?: "apply" | "destroy";
  readonly before?: string;
  readonly timeoutSec?: number;
}

/** Asks, and waits for the receipt. @throws Error with what the host said when it failed */
export async function receipt(host: SandboxHost, bundle: Bundle, options: AskOptions = {}): Promise<Receipt> {
  const { code, stdout, stderr } = await asked(host, bundle, options).answered;
  if (code !== 0) throw new Error(`${host.name}: exit status ${code}\n${stdout}${stderr}`);
  return receiptSchema.parse(JSON.parse(stdout));
}

/** Waits until no transaction, nor the way back from one, is at work on the host. */
export async function settled(host: SandboxHost, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  const units =
    "systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading 'pulumi-systemd-*'";
  const jobs = "systemctl list-jobs --no-legend";
  for (;;) {
    const busy = await host.output(`${units}; ${jobs}`);
    if (busy.trim() === "") return;
    if (Date.now() > deadline) throw new Error(`${host.name}: still at work after ${seconds} s:\n${busy}`);
    await sleep(100);
  }
}
