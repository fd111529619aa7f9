import type engine from "@pulumi/pulumi/proto/engine_pb.js";
import type provider from "@pulumi/pulumi/proto/provider_pb.js";
import type resource from "@pulumi/pulumi/proto/resource_pb.js";
import type struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Recorded, RecorderTask, WireRegistration } from "./program-record.ts";

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

/** `status.UNIMPLEMENTED` of gRPC, by which the SDK knows what an engine cannot do. */
const unimplemented = 12;

/** Makes the `Struct` of the copy of google-protobuf to which a response belongs. */
export type StructType = typeof struct.Struct;

/** What each call of one service is answered: a function fills the response. */
export type Answers = Readonly<Record<string, (request: never, response: never, Struct: StructType) => void>>;

/** How the services of Pulumi's engine are answered. */
export interface EngineAnswers {
  readonly ResourceMonitor: Answers;
  readonly Engine: Answers;
}

/**
 * Answers in the place of Pulumi's engine: what is registered is told, and nothing is made.
 * @param tell is given all that a program registers, says and asks for in vain
 */
export function engineAnswers(task: RecorderTask, tell: (what: Recorded) => void): EngineAnswers {
  const { project, stack, known } = task;
  let root = "";

  const recorded = (one: Omit<WireRegistration, "urn">): string => {
    const above = one.parent.split("::")[2];
    const type = above === undefined || above === "pulumi:pulumi:Stack" ? one.type : `${above}$${one.type}`;
    const urn = `urn:pulumi:${stack}::${project}::${type}::${one.name}`;
    tell({ registered: { urn, ...one } });
    return urn;
  };

  const ResourceMonitor: Answers = {
    supportsFeature(request: resource.SupportsFeatureRequest, response: resource.SupportsFeatureResponse) {
      response.setHassupport(features.has(request.getId()));
    },
    registerResource(
      request: resource.RegisterResourceRequest,
      response: resource.RegisterResourceResponse,
      Struct: StructType,
    ) {
      const [type, name] = [request.getType(), request.getName()];
      const inputs = request.getObject()?.toJavaScript() ?? {};
      const urn = recorded({ type, name, parent: request.getParent(), inputs });
      const before = known[urn];
      response.setUrn(urn);
      response.setId(before?.id ?? "");
      const outputs = request.getRemote() ? {} : withoutPayload(type, inputs);
      response.setObject(Struct.fromJavaScript({ ...before?.outputs, ...outputs } as never));
      if (request.getRemote() && before === undefined) tell({ unanswered: `component ${type}` });
      if (request.getTransformsList().length > 0) tell({ unanswered: `transforms of ${name}` });
    },
    readResource(request: resource.ReadResourceRequest, response: resource.ReadResourceResponse, Struct: StructType) {
      const [type, name] = [request.getType(), request.getName()];
      const inputs = request.getProperties()?.toJavaScript() ?? {};
      const urn = recorded({ type, name, parent: request.getParent(), inputs });
      const before = known[urn];
      if (before === undefined) tell({ unanswered: `read of ${type} ${name}` });
      response.setUrn(urn);
      response.setUnknown(before === undefined);
      response.setProperties(Struct.fromJavaScript({ ...inputs, ...before?.outputs } as never));
    },
    invoke(request: resource.ResourceInvokeRequest, response: resource.ResourceInvokeResponse, Struct: StructType) {
      // A Host asks for what it sent last. That is nothing here: what it would send now is wanted.
      if (request.getTok() === "pulumi:pulumi:readStackResourceOutputs") {
        response.setReturn(Struct.fromJavaScript({}));
        return;
      }
      tell({ unanswered: `function ${request.getTok()}` });
      response.setUnknown(true);
    },
    call(request: resource.ResourceCallRequest, _response: provider.CallResponse) {
      tell({ unanswered: `method ${request.getTok()}` });
    },
    registerPackage(request: resource.RegisterPackageRequest, response: resource.RegisterPackageResponse) {
      response.setRef(request.getName());
    },
    registerStackTransform() {
      tell({ unanswered: "transforms of the stack" });
    },
    registerStackInvokeTransform() {},
    registerResourceOutputs() {},
    registerResourceHook() {},
    registerErrorHook() {},
    signalAndWaitForShutdown() {},
  };

  const Engine: Answers = {
    log(request: engine.LogRequest) {
      if (request.getEphemeral()) return;
      const [severity, message] = [request.getSeverity(), request.getMessage().trimEnd()];
      tell({ said: { severity, message, urn: request.getUrn() } });
    },
    getRootResource(_request: engine.GetRootResourceRequest, response: engine.GetRootResourceResponse) {
      response.setUrn(root);
    },
    setRootResource(request: engine.SetRootResourceRequest) {
      root = request.getUrn();
    },
    requirePulumiVersion() {},
  };

  return { ResourceMonitor, Engine };
}

/** What is given back of inputs. What a Host sends to its machine is long, and no program reads it back. */
function withoutPayload(type: string, inputs: object): object {
  if (type !== "command:remote:Command" || !("stdin" in inputs)) return inputs;
  const { stdin: _, ...rest } = inputs;
  return rest;
}

/** The methods of a service as gRPC's generated code describes them, in any copy and version of the SDK. */
export type ServiceMethods = Readonly<Record<string, { readonly responseType: new () => unknown }>>;

/** One method of a service: what it was asked, and whom it tells the answer. */
export type Method = (request: unknown, answered: (problem: Error | null, response?: unknown) => void) => void;

/** Each method of a service, answered; one that has no answer fails as an old engine would. */
export function answeredMethods(
  methods: ServiceMethods,
  answers: Answers,
  Struct: StructType,
): readonly (readonly [name: string, method: Method])[] {
  return Object.entries(methods).map(([name, { responseType }]) => {
    const answer = answers[name] as ((request: unknown, response: unknown, Struct: StructType) => void) | undefined;
    const method: Method = (request, answered) => {
      if (answer === undefined) {
        answered(Object.assign(new Error(`${name} is not answered`), { code: unimplemented }));
        return;
      }
      const response = new responseType();
      try {
        answer(request, response, Struct);
      } catch (error) {
        answered(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      answered(null, response);
    };
    return [name, method];
  });
}
