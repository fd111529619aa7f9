import { type AddressInfo, connect } from "node:net";
import type { AuthContext, Connection, Session } from "ssh2";
import ssh2 from "ssh2";

/** A key pair in OpenSSH's format. */
export interface KeyPair {
  readonly private: string;
  /** Type and base64. */
  readonly public: string;
}

export function keyPair(type: "ed25519" | "ecdsa" = "ed25519", passphrase?: string): KeyPair {
  const options = passphrase === undefined ? { comment: "" } : { passphrase, cipher: "aes256-ctr", rounds: 4 };
  if (type === "ed25519") return ed25519Pair(options);
  return inOpenSsh(ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256, ...options }));
}

/** ssh2 takes zeros at the beginning of a public key away: one key in 256 is too short, and nobody can read it. */
function ed25519Pair(options: Parameters<typeof ssh2.utils.generateKeyPairSync>[1]): KeyPair {
  const wholeLength = 4 + "ssh-ed25519".length + 4 + 32;
  for (;;) {
    const pair = inOpenSsh(ssh2.utils.generateKeyPairSync("ed25519", options));
    if (Buffer.from(pair.public.split(" ")[1] ?? "", "base64").length === wholeLength) return pair;
  }
}

function inOpenSsh(pair: { private: string; public: string }): KeyPair {
  return { private: pair.private, public: pair.public.split(" ").slice(0, 2).join(" ") };
}

/** An SSH server in this process. */
export interface TestServer {
  readonly port: number;
  /** Connections that came so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/**
 * Starts one on a free port. Its commands: `status N` ends with N, `echo` gives standard input back, `wait` never ends,
 * `drop` loses the connection.
 */
export async function testServer(
  hostKeys: readonly KeyPair[],
  lets: (login: AuthContext) => boolean,
): Promise<TestServer> {
  let connections = 0;
  const open = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: hostKeys.map((key) => key.private) }, (client) => {
    connections += 1;
    open.add(client);
    client.on("error", () => undefined);
    client.on("close", () => open.delete(client));
    client.on("authentication", (login) => (lets(login) ? login.accept() : login.reject(["publickey", "password"])));
    client.on("session", (accept) => serve(accept(), client));
    client.on("tcpip", (accept, reject, { destIP, destPort }) => {
      const target = connect(destPort, destIP);
      target.once("error", () => reject());
      target.once("connect", () => {
        const channel = accept();
        channel.pipe(target).pipe(channel);
        channel.on("error", () => target.destroy());
        target.on("error", () => channel.close());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        for (const client of open) client.end();
        server.close(() => resolve());
      }),
  };
}

function serve(session: Session, client: Connection): void {
  session.on("exec", (accept, _reject, { command }) => {
    const channel = accept();
    const [name, status] = command.split(" ");
    if (name === "drop") client.end();
    if (name === "status") {
      channel.stderr.write("said on standard error\n");
      channel.exit(Number(status));
      channel.end();
    }
    if (name === "echo") {
      channel.pipe(channel, { end: false });
      channel.on("end", () => {
        channel.exit(0);
        channel.end();
      });
    }
  });
}
