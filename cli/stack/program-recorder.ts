/**
 * Loaded into a user's program before anything else of it (program-run.ts). What the SDK asks of Pulumi's engine is answered here,
 * in the same process, and told to the process that started the program. A server does the same (engine-server.ts); with thousands of
 * resources, to write out each and read it again takes longer than all else that a program does.
 */
import { readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { sep } from "node:path";
import {
  answeredMethods,
  type EngineAnswers,
  engineAnswers,
  type Method,
  type ServiceMethods,
} from "./engine-answers.ts";
import type { Recorded, RecorderTask } from "./program-record.ts";

/** File descriptor of the connection to the process that started the program. */
const channel = 3;
const mostWaiting = 1 << 18;
let waiting = "";
let isEnding = false;

/** Tells what is waiting, whole, also where the program ends itself a moment later. */
function flush(): void {
  const bytes = Buffer.from(waiting);
  waiting = "";
  for (let at = 0; at < bytes.length; ) at += writeSync(channel, bytes, at);
}

function tell(what: Recorded): void {
  if (waiting === "") setTimeout(flush, 200).unref();
  waiting += `${JSON.stringify(what)}\n`;
  if (waiting.length > mostWaiting || isEnding) flush();
}

/** The first line of the channel. It is read before the program begins, so that its first resource finds it. */
function receivedTask(): RecorderTask {
  const parts: Buffer[] = [];
  while (parts.at(-1)?.at(-1) !== 0x0a) {
    const part = Buffer.alloc(1 << 16);
    const length = readSync(channel, part);
    if (length === 0) throw new Error("the process that started this program has ended");
    parts.push(part.subarray(0, length));
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

const answers = engineAnswers(receivedTask(), tell);

/** What a file of the SDK exports, in any of its versions. */
type Exported = Record<string, unknown>;

/** Makes the client of a service answer its calls itself. */
function answerAt(exported: Exported, service: keyof EngineAnswers, filename: string): void {
  const { Struct } = createRequire(filename)("google-protobuf/google/protobuf/struct_pb.js");
  const methods = exported[`${service}Service`] as ServiceMethods;
  const client = exported[`${service}Client`] as { readonly prototype: Record<string, Method> };
  for (const [name, method] of answeredMethods(methods, answers[service], Struct)) {
    client.prototype[name] = (request, answered) => {
      // As an engine answers: never before the call has returned.
      method(request, (...answer) => setImmediate(() => answered(...answer)));
    };
  }
}

const patches: Readonly<Record<string, (exported: Exported, filename: string) => void>> = {
  "proto/resource_grpc_pb.js": (exported, filename) => answerAt(exported, "ResourceMonitor", filename),
  "proto/engine_grpc_pb.js": (exported, filename) => answerAt(exported, "Engine", filename),
  // Of a large program it is a quarter of the time: several messages for each resource, one after the other, each awaited.
  "log/index.js": (exported) => {
    exported.debug = () => Promise.resolve();
  },
  // Another quarter: the source positions of each registration.
  "resource.js": (exported) => {
    if (typeof exported.Resource === "function") Object.assign(exported.Resource, { callsites: () => [] });
  },
};

// Each copy of the SDK in a program has files of its own. They are CommonJS in all its versions.
const sdk = ["", "@pulumi", "pulumi", ""].join(sep);
const { extensions } = createRequire(import.meta.url);
const load = extensions[".js"];
extensions[".js"] = (module, filename) => {
  load(module, filename);
  const at = filename.lastIndexOf(sdk);
  const patch = at < 0 ? undefined : patches[filename.slice(at + sdk.length).replaceAll(sep, "/")];
  patch?.(module.exports, filename);
};

process.on("exit", () => {
  isEnding = true;
  flush();
});
// Neither a process that the program forks nor Pulumi's launcher, which looks at Node's arguments, is to know of this file.
process.execArgv = process.execArgv.filter((each) => !each.endsWith(import.meta.url));
