import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostCommand, hostInput } from "../../activation/host-command.ts";
import { sshCommand } from "../../sandbox/host.ts";
import type { Contender } from "./contender.ts";
import { timed } from "./timed.ts";
import { hostName } from "./workload.ts";

/** The floor: `ssh` by hand, the same program and bundle as this product's, all hosts side by side. */
export const floor: Contender = {
  id: "floor",
  title: "ssh with the same host program (the floor)",
  deploys: true,
  prepared: async ({ hosts, bundles, folder }) => ({
    run: async (operation) => {
      const bundle = bundles[operation === "change" || operation === "destroy" ? 2 : 1];
      const commands = hosts.map((host, index) => {
        const stdin = join(folder, `${hostName(index)}.input`);
        writeFileSync(stdin, hostInput({ ...bundle, scope: `bench/floor/${hostName(index)}` }), { mode: 0o600 });
        const line = hostCommand(operation === "destroy" ? "destroy" : "apply");
        return { argv: [...sshCommand(host.connection), line], stdin };
      });
      return timed("ssh", commands, process.env);
    },
    end: async () => {},
  }),
};
