import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestStack, testStack } from "../../test/hosts/stack.ts";
import type { Contender, Prepared, Subject } from "./contender.ts";
import { timed } from "./timed.ts";
import { hostName, type Operation, plainState, type ServiceSettings, type State, stackConfig } from "./workload.ts";

const repository = join(import.meta.dirname, "..", "..");

/** This product: its own program, its config in YAML, `pulumi up` as a person in a hurry runs it. */
export const product: Contender = {
  id: "product",
  title: "pulumi-systemd",
  deploys: true,
  prepared: (subject) => preparedProduct(subject),
};

/** The same where a service counts as up once `systemctl start` says so, which is all that its peers wait for. */
export const unwatched: Contender = {
  id: "product-unwatched",
  title: "pulumi-systemd, settleSec: 0 (not watching)",
  deploys: true,
  prepared: (subject) => preparedProduct(subject, { settleSec: 0 }),
};

function preparedProduct({ size, hosts }: Subject, more: ServiceSettings = {}): Promise<Prepared> {
  return preparedProgram(repository, async (stack, state) => {
    await stack.configure(stackConfig(size, state, hosts, more));
  });
}

/** What `pulumi up` of a program without resources takes: no other one can take less. */
export const emptyRun: Contender = {
  id: "pulumi-empty",
  title: "Pulumi's own empty run",
  deploys: false,
  prepared: () => preparedProgram(join(import.meta.dirname, "empty"), async () => {}),
};

/** The program that people write today: one `remote.Command` for each file and each step. */
export const remoteCommands: Contender = {
  id: "remote-commands",
  title: "one remote.Command per file",
  deploys: true,
  prepared: (subject) => {
    const input = join(subject.folder, "input.json");
    const states = { 1: remoteInput(subject, 1), 2: remoteInput(subject, 2) };
    return preparedProgram(
      join(import.meta.dirname, "remote-commands"),
      async (_stack, state) => writeFileSync(input, JSON.stringify(states[state]), { mode: 0o600 }),
      { BENCH_INPUT: input },
    );
  },
};

function remoteInput({ hosts, bundles, folder }: Subject, state: State) {
  return {
    hosts: hosts.map((host, index) => ({
      name: hostName(index),
      connection: {
        host: host.address,
        port: host.port,
        user: host.user,
        hostKey: host.hostKey,
        privateKey: readFileSync(host.privateKeyFile, "utf8"),
      },
    })),
    ...plainState(bundles[state], join(folder, `state${state}`)),
  };
}

async function preparedProgram(
  program: string,
  write: (stack: TestStack, state: State) => Promise<void>,
  env: NodeJS.ProcessEnv = {},
): Promise<Prepared> {
  const stack = await testStack("bench", program);
  await write(stack, 1);
  const options = ["--stack", stack.name, "--config-file", join(stack.folder, `Pulumi.${stack.name}.yaml`)];
  return {
    run: async (operation: Operation) => {
      if (operation === "change") await write(stack, 2);
      const verb = operation === "destroy" ? "destroy" : "up";
      const argv = ["pulumi", "--non-interactive", "--cwd", program, verb, "--yes", "--skip-preview", ...options];
      return timed(`pulumi ${verb} of ${program}`, [{ argv }], { ...stack.env, ...env });
    },
    end: async () => stack.remove(),
  };
}
