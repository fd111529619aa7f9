import type { Client, ClientChannel } from "ssh2";
import type { SshConnection } from "./connection.ts";
import { dialled } from "./dial.ts";
import { SshError } from "./ssh-error.ts";

/** Bounds and ends of one command. */
export interface SshRunOptions {
  /** What the command reads on standard input. Default: nothing. */
  readonly stdin?: string;
  /** Seconds for the command, the dial not included. Default: none. */
  readonly timeoutSec?: number;
  /** Gets standard output as it comes, instead of its being kept. The host waits while a promise of it is open. */
  readonly onOutput?: (text: string) => void | Promise<void>;
  /** Ends the command and the connection. */
  readonly signal?: AbortSignal;
}

/** How a command ended. */
export interface SshRun {
  /** Exit status; undefined when a signal ended it. */
  readonly code: number | undefined;
  /** Standard output; empty where `onOutput` took it. */
  readonly stdout: string;
  /** The end of standard error. */
  readonly stderr: string;
}

/** Runs commands on hosts, each over one connection of its own; hosts behind one bastion share the connection to that. */
export interface SshSessions {
  /**
   * Dials a host, runs one command there and closes the connection.
   * @param title how messages call the host
   * @throws SshError when the host cannot be asked or the command's time is up
   */
  run(title: string, connection: SshConnection, command: string, options?: SshRunOptions): Promise<SshRun>;
}

const keptErrors = 20_000;

/** How connections are kept. */
export interface SshSessionsOptions {
  /** Seconds between signs of life; a connection is given up when three in a row are missing. Default: 20. */
  readonly keepaliveSec?: number;
}

/** Sessions for one job over many hosts. */
export function sshSessions({ keepaliveSec }: SshSessionsOptions = {}): SshSessions {
  const bastions = new Map<string, { readonly client: Promise<Client>; users: number }>();

  const agentOf = ({ agentSocketPath }: SshConnection) => agentSocketPath ?? process.env.SSH_AUTH_SOCK;

  /** Gives work the connection to the bastion, which ends when nobody uses it any more. */
  const withBastion = async <R>(
    title: string,
    connection: SshConnection,
    work: (bastion: Client | undefined) => Promise<R>,
  ): Promise<R> => {
    const { bastion, dialSec } = connection;
    if (bastion === undefined) return work(undefined);
    const key = JSON.stringify(bastion);
    const shared = bastions.get(key) ?? {
      client: dialled(bastion, { title: `bastion of ${title}`, dialSec, agent: agentOf(connection), keepaliveSec }),
      users: 0,
    };
    bastions.set(key, shared);
    shared.users += 1;
    try {
      return await work(await shared.client);
    } finally {
      shared.users -= 1;
      if (shared.users === 0) {
        bastions.delete(key);
        shared.client.then(
          (client) => client.end(),
          () => undefined,
        );
      }
    }
  };

  return {
    run: (title, connection, command, options = {}) =>
      withBastion(title, connection, async (bastion) => {
        const { dialSec } = connection;
        const through = bastion && (await forwarded(bastion, title, connection));
        const client = await dialled(connection, { title, dialSec, agent: agentOf(connection), through, keepaliveSec });
        try {
          return await ran(client, title, command, options);
        } finally {
          client.end();
        }
      }),
  };
}

function forwarded(bastion: Client, title: string, { host, port, dialSec }: SshConnection): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const bound = setTimeout(() => {
      reject(
        new SshError("timeout", `${title} (${host}:${port}): its bastion had no connection to it within ${dialSec} s`),
      );
    }, dialSec * 1000);
    bastion.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      clearTimeout(bound);
      if (error === undefined) resolve(channel);
      else {
        reject(
          new SshError("unreachable", `${title} (${host}:${port}): its bastion cannot connect to it: ${error.message}`),
        );
      }
    });
  });
}

function ran(client: Client, title: string, command: string, options: SshRunOptions): Promise<SshRun> {
  const { stdin = "", timeoutSec, onOutput, signal } = options;
  return new Promise((resolve, reject) => {
    const fail = (error: SshError) => {
      clearTimeout(bound);
      client.destroy();
      reject(error);
    };
    const bound =
      timeoutSec === undefined
        ? undefined
        : setTimeout(() => {
            fail(new SshError("timeout", `${title}: the command had not ended after ${timeoutSec} s`));
          }, timeoutSec * 1000);
    const aborted = () => fail(new SshError("closed", `${title}: given up`));
    if (signal?.aborted) return aborted();
    signal?.addEventListener("abort", aborted, { once: true });
    client.exec(command, (problem, channel) => {
      if (problem !== undefined) {
        return fail(new SshError("closed", `${title}: the server runs no command: ${problem.message}`));
      }
      let stdout = "";
      let stderr = "";
      let code: number | undefined;
      let isTold = false;
      channel.setEncoding("utf8");
      channel.stderr.setEncoding("utf8");
      channel.on("data", (text: string) => {
        if (onOutput === undefined) stdout += text;
        else {
          const pending = onOutput(text);
          if (pending === undefined) return;
          channel.pause();
          void pending.then(() => channel.resume());
        }
      });
      channel.stderr.on("data", (text: string) => {
        stderr = (stderr + text).slice(-keptErrors);
      });
      channel.on("exit", (status: number | null) => {
        isTold = true;
        code = status ?? undefined;
      });
      channel.on("close", () => {
        clearTimeout(bound);
        signal?.removeEventListener("abort", aborted);
        if (isTold) resolve({ code, stdout, stderr });
        else reject(new SshError("closed", `${title}: the connection was lost while the command ran`));
      });
      channel.on("error", () => undefined);
      channel.end(stdin);
    });
  });
}
