import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import resourceService from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { type Answers, answeredMethods, type EngineAnswers, type ServiceMethods } from "./engine-answers.ts";

/** A server where a program expects Pulumi's engine. */
export interface EngineServer {
  /** Address for the program's `--monitor` and `--engine`. */
  readonly address: string;
  close(): void;
}

/**
 * Starts one, for one run of a program. It is asked by copies of the SDK that are no modules of their own, such as one inside of
 * a bundle; what other copies ask is answered within the program.
 */
export async function engineServer({ ResourceMonitor, Engine }: EngineAnswers): Promise<EngineServer> {
  const unlimited = -1;
  const server = new Server({
    "grpc.max_receive_message_length": unlimited,
    "grpc.max_send_message_length": unlimited,
  });
  const { ResourceMonitorService } = resourceService;
  server.addService(ResourceMonitorService, served(ResourceMonitorService as never, ResourceMonitor));
  server.addService(engineService.EngineService, served(engineService.EngineService as never, Engine));
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
    return { address: folder === undefined ? `127.0.0.1:${port}` : bound, close };
  } catch (error) {
    close();
    throw error;
  }
}

function served(methods: ServiceMethods, answers: Answers): UntypedServiceImplementation {
  return Object.fromEntries(
    answeredMethods(methods, answers, struct.Struct).map(([name, method]) => [
      name,
      ({ request }: { readonly request: unknown }, callback: sendUnaryData<unknown>) =>
        method(request, callback as never),
    ]),
  );
}
