import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import resourceService from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resource from "@pulumi/pulumi/proto/resource_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { type Opened, opened } from "./envelope.ts";

/** A resource that a program registered. */
export interface Registration {
  readonly urn: string;
  /** Type token: `systemd:index:Host`. */
  readonly type: string;
  readonly name: string;
  /** URN of its parent; empty for the stack itself. */
  readonly parent: string;
  readonly inputs: Opened;
}

/** One message of a program to the person who runs it. */
export interface Diagnostic {
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  /** The resource that it is about; empty for the program as a whole. */
  readonly urn: string;
}

/** What is known of a resource from elsewhere, such as the stack's state. */
export interface KnownResource {
  readonly id: string;
  /** Its outputs, in their envelopes. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Stands where Pulumi's engine stands for a program: it keeps what is registered, and makes nothing. */
export interface RecordingEngine {
  /** Address for the program's `--monitor` and `--engine`. */
  readonly address: string;
  readonly registrations: readonly Registration[];
  readonly diagnostics: readonly Diagnostic[];
  /** What the real engine would have asked a provider for, and nobody answered here. */
  readonly unanswered: readonly string[];
  close(): void;
}

/** Features of an engine that a program may use here; the others make it say so itself. */
const features = new Set([
  "secrets",
  "resourceReferences",
  "outputValues",
  "deletedWith",
  "replaceWith",
  "aliasSpecs",
  "transforms",
  "invokeTransforms",
  "parameterization",
  "resourceHooks",
  "errorHooks",
]);

type Call<Request> = ServerUnaryCall<Request, unknown>;

/**
 * Starts one, for one run of a program.
 * @param known what to answer for a resource beside its own inputs, by URN; all else is unknown to the program
 */
export async function recordingEngine(
  project: string,
  stack: string,
  known: ReadonlyMap<string, KnownResource>,
): Promise<RecordingEngine> {
  const registrations: Registration[] = [];
  const diagnostics: Diagnostic[] = [];
  const unanswered = new Set<string>();
  let root = "";

  const urnOf = (type: string, name: string, parent: string) => {
    const above = parent.split("::")[2];
    const whole = above === undefined || above === "pulumi:pulumi:Stack" ? type : `${above}$${type}`;
    return `urn:pulumi:${stack}::${project}::${whole}::${name}`;
  };
  const record = (type: string, name: string, parent: string, inputs: object): string => {
    const urn = urnOf(type, name, parent);
    registrations.push({ urn, type, name, parent, inputs: opened(inputs) });
    return urn;
  };

  const monitor: UntypedServiceImplementation = {
    supportsFeature: answering(({ request }: Call<resource.SupportsFeatureRequest>) => {
      const response = new resource.SupportsFeatureResponse();
      response.setHassupport(features.has(request.getId()));
      return response;
    }),
    registerResource: answering(({ request }: Call<resource.RegisterResourceRequest>) => {
      const inputs = request.getObject()?.toJavaScript() ?? {};
      const urn = record(request.getType(), request.getName(), request.getParent(), inputs);
      const before = known.get(urn);
      const response = new resource.RegisterResourceResponse();
      response.setUrn(urn);
      response.setId(before?.id ?? "");
      const outputs = request.getRemote() ? {} : withoutPayload(request.getType(), inputs);
      response.setObject(struct.Struct.fromJavaScript({ ...before?.outputs, ...outputs } as never));
      if (request.getRemote() && before === undefined) unanswered.add(`component ${request.getType()}`);
      if (request.getTransformsList().length > 0) unanswered.add(`transforms of ${request.getName()}`);
      return response;
    }),
    readResource: answering(({ request }: Call<resource.ReadResourceRequest>) => {
      const inputs = request.getProperties()?.toJavaScript() ?? {};
      const urn = record(request.getType(), request.getName(), request.getParent(), inputs);
      const before = known.get(urn);
      if (before === undefined) unanswered.add(`read of ${request.getType()} ${request.getName()}`);
      const response = new resource.ReadResourceResponse();
      response.setUrn(urn);
      response.setUnknown(before === undefined);
      response.setProperties(struct.Struct.fromJavaScript({ ...inputs, ...before?.outputs } as never));
      return response;
    }),
    invoke: answering(({ request }: Call<resource.ResourceInvokeRequest>) => {
      const response = new resource.ResourceInvokeResponse();
      // A Host asks for what it sent last. That is nothing here: what it would send now is wanted.
      if (request.getTok() === "pulumi:pulumi:readStackResourceOutputs") {
        response.setReturn(struct.Struct.fromJavaScript({}));
        return response;
      }
      unanswered.add(`function ${request.getTok()}`);
      response.setUnknown(true);
      return response;
    }),
    call: answering(({ request }: Call<resource.ResourceCallRequest>) => {
      unanswered.add(`method ${request.getTok()}`);
      return new provider.CallResponse();
    }),
    registerPackage: answering(({ request }: Call<resource.RegisterPackageRequest>) => {
      const response = new resource.RegisterPackageResponse();
      response.setRef(request.getName());
      return response;
    }),
    registerStackTransform: answering(() => {
      unanswered.add("transforms of the stack");
      return new empty.Empty();
    }),
    registerStackInvokeTransform: answering(() => new empty.Empty()),
    registerResourceOutputs: answering(() => new empty.Empty()),
    registerResourceHook: answering(() => new empty.Empty()),
    registerErrorHook: answering(() => new empty.Empty()),
    signalAndWaitForShutdown: answering(() => new empty.Empty()),
  };
  const host: UntypedServiceImplementation = {
    log: answering(({ request }: Call<engine.LogRequest>) => {
      const severity = severities[request.getSeverity()];
      if (severity !== undefined && !request.getEphemeral()) {
        diagnostics.push({ severity, message: request.getMessage().trimEnd(), urn: request.getUrn() });
      }
      return new empty.Empty();
    }),
    getRootResource: answering(() => {
      const response = new engine.GetRootResourceResponse();
      response.setUrn(root);
      return response;
    }),
    setRootResource: answering(({ request }: Call<engine.SetRootResourceRequest>) => {
      root = request.getUrn();
      return new engine.SetRootResourceResponse();
    }),
    requirePulumiVersion: answering(() => new engine.RequirePulumiVersionResponse()),
  };

  const unlimited = -1;
  const server = new Server({
    "grpc.max_receive_message_length": unlimited,
    "grpc.max_send_message_length": unlimited,
  });
  server.addService(resourceService.ResourceMonitorService, monitor);
  server.addService(engineService.EngineService, host);
  // Secrets pass here: a socket in a folder of one's own, where no other user of this machine can connect.
  const folder = process.platform === "win32" ? undefined : mkdtempSync(join(tmpdir(), "pulumi-systemd-"));
  const bound = folder === undefined ? "127.0.0.1:0" : `unix:${join(folder, "engine.sock")}`;
  const close = () => {
    server.forceShutdown();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(bound, ServerCredentials.createInsecure(), (error, chosen) =>
        error === null ? resolve(chosen) : reject(error),
      );
    });
    return {
      address: folder === undefined ? `127.0.0.1:${port}` : bound,
      registrations,
      diagnostics,
      get unanswered() {
        return [...unanswered].sort();
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** What is given back of inputs. What a Host sends to its machine is long, and no program reads it back. */
function withoutPayload(type: string, inputs: object): object {
  if (type !== "command:remote:Command" || !("stdin" in inputs)) return inputs;
  const { stdin: _, ...rest } = inputs;
  return rest;
}

const severities: Readonly<Record<number, Diagnostic["severity"]>> = {
  [engine.LogSeverity.INFO]: "info",
  [engine.LogSeverity.WARNING]: "warning",
  [engine.LogSeverity.ERROR]: "error",
};

function answering<Request, Response>(answer: (call: Call<Request>) => Response) {
  return (call: Call<Request>, callback: sendUnaryData<Response>) => {
    try {
      callback(null, answer(call));
    } catch (error) {
      callback({ name: "Error", message: error instanceof Error ? error.message : String(error) });
    }
  };
}
