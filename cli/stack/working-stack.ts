import { UsageError } from "../unit-source.ts";
import { type StackHosts, type StackHostsOptions, stackHosts } from "./stack-hosts.ts";

/**
 * What a stack's program would bring to each host, for commands that need all of it.
 * @throws UsageError with every error of the program, when it fails
 */
export async function workingStack(options: StackHostsOptions): Promise<StackHosts> {
  const found = await stackHosts(options);
  if (found.errors.length === 0) return found;
  const told = found.errors.map(
    ({ resource, message }) => `  ${resource === undefined ? "" : `${resource}: `}${message}`,
  );
  throw new UsageError(`the program of stack ${found.stack} fails, so its hosts are not known:\n${told.join("\n")}`);
}
