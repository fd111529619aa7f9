import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxHost } from "../../sandbox/host.ts";
import { type ExampleSection, exampleConfig } from "./example.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

suite("examples/critical-service: an API on a socket", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  let config: Record<"pythonServices" | "sockets", ExampleSection>;
  before(async () => {
    fleet = await bootedFleet();
    const { pythonServices, sockets } = await exampleConfig(fleet.stack, "critical-service");
    config = { pythonServices: { myapi: pythonServices!.myapi! }, sockets: sockets! };
    await fleet.deploy(config);
  });
  after(() => fleet?.down());

  testOnEachHost(
    "the first connection starts its service",
    () => fleet,
    async (host) => {
      const idle = await shown(host, "myapi.service", "ActiveState", "ExecMainStartTimestampMonotonic");
      assert.deepEqual(idle, { ActiveState: "inactive", ExecMainStartTimestampMonotonic: "0" });
      const socket = await shown(host, "myapi.socket", "ActiveState", "SubState", "UnitFileState", "Accept");
      assert.deepEqual(socket, {
        ActiveState: "active",
        SubState: "listening",
        UnitFileState: "enabled",
        Accept: "no",
      });

      const answer = await fetch(`http://${host.address}:8000/health`, { signal: AbortSignal.timeout(20_000) });
      const { pid }: { pid?: unknown } = Object(await answer.json());
      const started = await shown(host, "myapi.service", "ActiveState", "MainPID");
      assert.deepEqual(started, { ActiveState: "active", MainPID: String(pid) });
    },
  );

  testOnEachHost(
    "20 restarts under load lose no connection",
    () => fleet,
    async (host) => {
      const load = new Load(host, 200);
      await load.answersMore(50);
      await host.output("for each in $(seq 20); do systemctl restart myapi.service; sleep 0.1; done");
      await load.answersMore(50);
      const { answered, lost, pids } = await load.end();
      assert.deepEqual(lost, new Map());
      assert.ok(pids.size > 15, `${pids.size} processes answered`);
      assert.ok(answered > 500, `${answered} answers`);
    },
  );

  test("an update under load loses no connection and leaves the socket open", async () => {
    const sockets = () => Promise.all(fleet.hosts.map((host) => shown(host, "myapi.socket", "InvocationID")));
    const before = await sockets();
    const loads = fleet.hosts.map((host) => new Load(host, 50));
    await Promise.all(loads.map((load) => load.answersMore(50)));
    const changed = { ...config.pythonServices.myapi, environment: { COLOUR: "green" } };
    await fleet.deploy({ ...config, pythonServices: { myapi: changed } });
    await Promise.all(loads.map((load) => load.answersMore(50)));
    const ended = await Promise.all(loads.map((load) => load.end()));
    assert.deepEqual(
      ended.map(({ lost, pids }) => ({ lost, processes: pids.size })),
      fleet.hosts.map(() => ({ lost: new Map(), processes: 2 })),
    );
    assert.deepEqual(await sockets(), before);
  });

  test("destroy leaves nothing behind", () => fleet.destroy(["/var/lib/myapi", "/var/lib/redis"]));
});

/** Clients that come at an even rate, each with a connection and a request of its own, and count how each one ends. */
class Load {
  answered = 0;
  readonly pids = new Set<number>();
  readonly lost = new Map<string, number>();
  private readonly open = new Set<Promise<void>>();
  private readonly host: SandboxHost;
  private readonly clock: NodeJS.Timeout;
  private begun = 0;

  constructor(host: SandboxHost, requestsPerSec: number) {
    this.host = host;
    const start = Date.now();
    this.clock = setInterval(() => {
      for (const due = ((Date.now() - start) / 1000) * requestsPerSec; this.begun < due; this.begun++) this.begin();
    }, 5);
  }

  private begin(): void {
    const request = health(this.host.address).then(
      (pid) => {
        this.answered++;
        this.pids.add(pid);
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

/**
 * Asks who answers, in two halves: between them the process holds a connection that it has accepted and not answered.
 * @throws Error when the connection is refused, reset, closed early or silent for 20 s
 */
function health(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ host: address, port: 8000 });
    socket.setEncoding("utf8").setTimeout(20_000);
    socket.on("connect", async () => {
      socket.write("GET /health HTTP/1.0\r\n");
      await sleep(20);
      socket.write("\r\n");
    });
    socket.on("data", (chunk: string) => {
      received += chunk;
    });
    socket.on("timeout", () => socket.destroy(new Error("silent for 20 s")));
    socket.on("error", (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message)));
    socket.on("close", () => {
      const [, pid] = /^HTTP\/1\.0 200 OK\r\n[\s\S]*\r\n\r\n\{"pid": (\d+)\}\n$/.exec(received) ?? [];
      if (pid === undefined) reject(new Error(`closed after ${JSON.stringify(received)}`));
      else resolve(Number(pid));
    });
  });
}
