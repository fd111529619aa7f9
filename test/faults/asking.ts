import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateSync, inflateSync } from "node:zlib";
import type { Bundle } from "../../activation/bundle.ts";
import { hostCommand, hostInput } from "../../activation/host-command.ts";
import { type Receipt, receiptSchema } from "../../activation/receipt.ts";
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
 * Asks a host for a transaction.
 * @param before Python text that the host program begins with, to make it fail
 */
export function asked(host: SandboxHost, bundle: Bundle, options: AskOptions = {}): Asked {
  const { operation = "apply", before = "", timeoutSec = 90 } = options;
  const child = spawn(sshCommand(host.connection)[0]!, [
    ...sshCommand(host.connection).slice(1),
    hostCommand(operation),
  ]);
  const out: Buffer[] = [];
  const error: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => error.push(chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(before === "" ? hostInput(bundle) : inputWith(before, hostInput(bundle)));
  const bound = setTimeout(() => child.kill("SIGKILL"), timeoutSec * 1000);
  const answered = new Promise<Answered>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(bound);
      resolve({ code: code ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(error).toString() });
    });
  });
  return {
    answered,
    hangUp: () => {
      child.kill("SIGKILL");
    },
  };
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

function inputWith(before: string, input: string): string {
  const line = input.indexOf("\n");
  const end = line + 1 + Number(input.slice(0, line));
  const program = inflateSync(Buffer.from(input.slice(line + 1, end), "base64")).toString();
  const packed = deflateSync(before + program).toString("base64");
  return `${packed.length}\n${packed}${input.slice(end)}`;
}
