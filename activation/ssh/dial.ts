import type { Duplex } from "node:stream";
import type { Client, ConnectConfig, ParsedKey, ServerHostKeyAlgorithm } from "ssh2";
import type { SshEndpoint } from "./connection.ts";
import { hostKeyFingerprint, hostKeyText } from "./host-key.ts";
import { SshError } from "./ssh-error.ts";

/** What a dial needs beside the endpoint. */
export interface DialOptions {
  /** How messages call the server: `web1` or `bastion of web1`. */
  readonly title: string;
  readonly dialSec: number;
  /** Path of the SSH agent's socket; empty or undefined: none. */
  readonly agent?: string | undefined;
  /** Seconds between signs of life, of which three may be missing. Default: 20. */
  readonly keepaliveSec?: number | undefined;
  /** A stream to the server, in place of a connection of its own. */
  readonly through?: Duplex | undefined;
}

/**
 * Logs in to one server and gives the connection, which the caller ends.
 * @throws SshError for each way to fail
 */
export async function dialled(endpoint: SshEndpoint, options: DialOptions): Promise<Client> {
  // Not loaded by updates that look at no host.
  const { default: ssh2 } = await import("ssh2");
  const { title, dialSec } = options;
  const { host, port, user, hostKeys, password, privateKey, privateKeyPassword } = endpoint;
  const place = `${title} (${user}@${host}${port === 22 ? "" : `:${port}`})`;
  if (privateKey !== undefined) {
    checkPrivateKey(place, ssh2.utils.parseKey(privateKey, privateKeyPassword), privateKeyPassword);
  }
  let shown: Buffer | undefined;
  const config: ConnectConfig = {
    host,
    port,
    username: user,
    readyTimeout: dialSec * 1000,
    // A firewall that forgets the connection is noticed within a minute.
    keepaliveInterval: (options.keepaliveSec ?? 20) * 1000,
    keepaliveCountMax: 3,
    tryKeyboard: password !== undefined,
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }),
    ...(options.agent ? { agent: options.agent } : {}),
    ...(options.through === undefined ? {} : { sock: options.through }),
    ...(hostKeys === undefined
      ? {}
      : {
          // The server has keys of several types; it must show one that was pinned.
          algorithms: { serverHostKey: [...new Set(hostKeys.map(keyType))] },
          hostVerifier: (key: Buffer) => {
            shown = key;
            return hostKeys.includes(hostKeyText(key));
          },
        }),
  };
  const tried = [
    ...(privateKey === undefined ? [] : ["private key"]),
    ...(options.agent ? ["agent"] : []),
    ...(password === undefined ? [] : ["password"]),
  ];
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let agentProblem: string | undefined;
    const fail = (error: Error & { level?: unknown }) => {
      if (error.level === "agent") {
        // Another way to log in may still be open.
        agentProblem = error.message;
        return;
      }
      reject(dialError(error, { place, endpoint, shown, tried, dialSec, agentProblem }));
      client.destroy();
    };
    client.once("ready", () => {
      // What fails later ends the channels, which tell it; then this promise is settled.
      resolve(client);
    });
    client.on("error", fail);
    client.on("close", () => fail(new Error("the server closed the connection")));
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) => {
      answer(prompts.map(() => password ?? ""));
    });
    try {
      client.connect(config);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function keyType(key: string): ServerHostKeyAlgorithm {
  // Keys were checked to be of these types when they were read.
  return key.split(" ")[0] as ServerHostKeyAlgorithm;
}

function checkPrivateKey(place: string, parsed: ParsedKey | Error, passphrase: string | undefined): void {
  if (!(parsed instanceof Error)) return;
  const reason = /passphrase/i.test(parsed.message)
    ? passphrase === undefined
      ? "is encrypted; give its passphrase in privateKeyPassword"
      : "cannot be decrypted with this passphrase"
    : "is not a private key in OpenSSH's or PEM format";
  throw new SshError("private-key", `${place}: the private key ${reason}`);
}

interface Dial {
  readonly place: string;
  readonly endpoint: SshEndpoint;
  readonly shown: Buffer | undefined;
  readonly tried: readonly string[];
  readonly dialSec: number;
  readonly agentProblem: string | undefined;
}

function dialError(error: Error & { code?: unknown; level?: unknown }, dial: Dial): SshError {
  const { place, endpoint, shown, tried, dialSec, agentProblem } = dial;
  const because = (problem: SshError["problem"], text: string) => new SshError(problem, `${place}: ${text}`);
  switch (error.code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return because("name", `the name ${endpoint.host} has no address (DNS)`);
    case "ECONNREFUSED":
      return because("refused", "refused the connection: no SSH server listens on this port");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return because("unreachable", "there is no route to this address");
    case "ETIMEDOUT":
      return because("timeout", "did not answer: is it on, is the address right, does a firewall drop the packets?");
  }
  if (shown !== undefined && error.level !== "client-authentication" && endpoint.hostKeys !== undefined) {
    const key = hostKeyText(shown);
    if (!endpoint.hostKeys.includes(key)) {
      return because(
        "host-key",
        `showed another host key than the pinned: it has ${key.split(" ")[0]} ${hostKeyFingerprint(shown)}, ` +
          `pinned is ${endpoint.hostKeys.map(hostKeyFingerprint).join(" or ")}. Either it is another machine, or its key was changed: ` +
          "compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine itself",
      );
    }
  }
  if (error.level === "client-authentication") {
    const how = tried.length === 0 ? "no private key, agent or password was given" : `tried ${tried.join(", ")}`;
    const agent = agentProblem === undefined ? "" : `; the agent does not answer (${agentProblem})`;
    return because("login", `does not let ${endpoint.user} log in: ${how}${agent}`);
  }
  if (error.level === "client-timeout") {
    return because("timeout", `did not let in within ${dialSec} s: is the address right, is the machine overloaded?`);
  }
  if (/no matching host key format/i.test(error.message)) {
    return because("host-key", `has no host key of the pinned type (${endpoint.hostKeys?.map(keyType).join(", ")})`);
  }
  if (error.code === "ECONNRESET" || /closed the connection|lost|ended|reset/i.test(error.message)) {
    return because(
      "closed",
      "closed the connection before the login: too many logins at once (MaxStartups), or a ban?",
    );
  }
  return because("closed", error.message);
}
