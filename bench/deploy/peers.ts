import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandResult } from "../../setup/command.ts";
import { virtualEnvironment } from "../../setup/virtual-environment.ts";
import type { Contender, Subject } from "./contender.ts";
import { timed } from "./timed.ts";
import { hostName, type Operation, plainState, type State } from "./workload.ts";

/** Versions of the tools that this product is compared with. */
export const peerPins = ["ansible-core==2.19.14", "pyinfra==3.10.0"] as const;

function peerTools(log: (line: string) => void): Promise<string> {
  return virtualEnvironment({ folder: "bench-tools", pins: peerPins, purpose: "the benchmark" }, log);
}

/** Ansible: pipelining, forks, ControlPersist, no facts; modules for accounts, files and systemd. */
export const ansible: Contender = {
  id: "ansible",
  title: "Ansible",
  deploys: true,
  prepared: async (subject) => {
    const { folder, hosts } = subject;
    const bin = await peerTools(subject.log);
    const playbooks = join(import.meta.dirname, "ansible");
    const inventory = join(folder, "inventory.json");
    const sockets = join(folder, "sockets");
    mkdirSync(sockets);
    const variables = (index: number) => ({
      ansible_host: hosts[index]!.address,
      ansible_port: hosts[index]!.port,
      ansible_user: hosts[index]!.user,
      ansible_ssh_private_key_file: hosts[index]!.privateKeyFile,
    });
    const all = Object.fromEntries(hosts.map((_, index) => [hostName(index), variables(index)]));
    writeFileSync(inventory, JSON.stringify({ all: { hosts: all } }));
    const states = inputFiles(subject);
    const env = {
      ...process.env,
      ANSIBLE_CONFIG: join(playbooks, "ansible.cfg"),
      ANSIBLE_HOME: join(folder, "home"),
      ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
      ANSIBLE_SSH_ARGS:
        `-F none -o ControlMaster=auto -o ControlPersist=60s -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes ` +
        `-o UserKnownHostsFile=${knownHosts(subject)}`,
    };
    return {
      run: (operation) => {
        const playbook = join(playbooks, operation === "destroy" ? "destroy.yml" : "deploy.yml");
        const argv = [join(bin, "ansible-playbook"), "--inventory", inventory, "-e", `@${states[stateOf(operation)]}`];
        return timed("ansible-playbook", [{ argv: [...argv, playbook] }], env);
      },
      end: async () => {
        const masters = await commandResult(["find", sockets, "-type", "s"]);
        for (const socket of masters.stdout.split("\n").filter(Boolean)) {
          await commandResult(["ssh", "-F", "none", "-o", `ControlPath=${socket}`, "-O", "exit", "host"]);
        }
      },
    };
  },
};

/** pyinfra: all hosts at once, none waits for another; operations for accounts, files and systemd. */
export const pyinfra: Contender = {
  id: "pyinfra",
  title: "pyinfra",
  deploys: true,
  prepared: async (subject) => {
    const bin = await peerTools(subject.log);
    const deploys = join(import.meta.dirname, "pyinfra");
    const states = inputFiles(subject);
    return {
      run: (operation) => {
        const deploy = join(deploys, operation === "destroy" ? "destroy.py" : "deploy.py");
        const argv = [join(bin, "pyinfra"), "--yes", "--no-wait", join(deploys, "inventory.py"), deploy];
        return timed("pyinfra", [{ argv }], { ...process.env, BENCH_INPUT: states[stateOf(operation)] });
      },
      end: async () => {},
    };
  },
};

function stateOf(operation: Operation): State {
  return operation === "change" || operation === "destroy" ? 2 : 1;
}

/** The path of each state's JSON, and the contents beside it. */
function inputFiles(subject: Subject): Record<State, string> {
  const written = (state: State): string => {
    const path = join(subject.folder, `state${state}.json`);
    const hosts = subject.hosts.map(({ address, port, user, privateKeyFile }, index) => {
      return { name: hostName(index), address, port, user, privateKeyFile };
    });
    const plain = plainState(subject.bundles[state], join(subject.folder, `state${state}`));
    writeFileSync(path, JSON.stringify({ knownHosts: knownHosts(subject), hosts, ...plain }), { mode: 0o600 });
    return path;
  };
  return { 1: written(1), 2: written(2) };
}

function knownHosts({ folder, hosts }: Subject): string {
  const path = join(folder, "known_hosts");
  const own = hosts.map(({ privateKeyFile }) => readFileSync(join(dirname(privateKeyFile), "known_hosts"), "utf8"));
  writeFileSync(path, own.join(""));
  return path;
}
