import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxHost } from "../../sandbox/host.ts";

/** Milliseconds that a client waits between the two halves of its request. */
export const pauseMs = 20;

/** Clients that come at an even rate, each with a connection and a request of its own, and count how each one ends. */
export class Load {
  begun = 0;
  answered = 0;
  /** The longest time from the first packet to the end of the answer, with the client's own pause. */
  worstMs = 0;
  readonly pids = new Set<number>();
  readonly lost = new Map<string, number>();
  private readonly open = new Set<Promise<void>>();
  private readonly host: SandboxHost;
  private readonly port: number;
  private readonly clock: NodeJS.Timeout;

  constructor(host: SandboxHost, requestsPerSec: number, port = 8000) {
    this.host = host;
    this.port = port;
    const start = Date.now();
    this.clock = setInterval(() => {
      for (const due = ((Date.now() - start) / 1000) * requestsPerSec; this.begun < due; this.begun++) this.begin();
    }, 5);
    // A test that fails does not end its load: that must not keep the process from its end.
    this.clock.unref();
  }

  private begin(): void {
    const begun = performance.now();
    const request = health(this.host.address, this.port).then(
      ({ pid }) => {
        this.answered++;
        this.pids.add(pid);
        this.worstMs = Math.max(this.worstMs, performance.now() - begun);
      },
      (error: Error) => {
        this.lost.set(error.message, (this.lost.get(error.message) ?? 0) + 1);
      },
    );
    this.open.add(request);
    void request.then(() => this.open.delete(request));
  }

  /** Waits until so many more have their answer, within 30 s. */
  async answersMore(count: number): Promise<void> {
    const wanted = this.answered + count;
    for (const deadline = Date.now() + 30_000; this.answered < wanted; await sleep(20)) {
      if (Date.now() > deadline) throw new Error(`${this.answered} answers where ${wanted} were due`);
    }
  }

  /** Sends no more, and waits until the last one has its answer or its end. */
  async end(): Promise<this> {
    clearInterval(this.clock);
    await Promise.all(this.open);
    return this;
  }
}

/** Who answered. */
export interface Answerer {
  readonly pid: number;
  /** Empty where the program tells none. */
  readonly name: string;
}

/**
 * Asks who answers, in two halves: between them the process holds a connection that it has accepted and not answered.
 * @throws Error when the connection is refused, reset, closed early or silent for 20 s
 */
export function health(address: string, port: number): Promise<Answerer> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ host: address, port });
    socket.setEncoding("utf8").setTimeout(20_000);
    socket.on("connect", async () => {
      socket.write("GET /health HTTP/1.0\r\n");
      await sleep(pauseMs);
      socket.write("\r\n");
    });
    socket.on("data", (chunk: string) => {
      received += chunk;
    });
    socket.on("timeout", () => socket.destroy(new Error("silent for 20 s")));
    socket.on("error", (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message)));
    socket.on("close", () => {
      const [, body] = /^HTTP\/1\.[01] 200 OK\r\n[\s\S]*\r\n\r\n(\{.*\})\n?$/.exec(received) ?? [];
      if (body === undefined) return reject(new Error(`closed after ${JSON.stringify(received)}`));
      const { pid, name = "" }: { pid?: unknown; name?: unknown } = JSON.parse(body);
      return resolve({ pid: Number(pid), name: String(name) });
    });
  });
}
