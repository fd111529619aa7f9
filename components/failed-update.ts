import * as pulumi from "@pulumi/pulumi";

/**
 * The same resource, whose failure is told by the engine alone. With `pulumi up --continue-on-error` the SDK tells it once
 * more, with a stack trace, for each Output of the resource that nobody listens to.
 */
export function toldByEngine<R extends pulumi.Resource>(resource: R): R {
  const outputs: unknown[] = Object.values(resource);
  for (const output of outputs) {
    if (pulumi.Output.isInstance(output)) pulumi.recover<unknown>(output, () => undefined);
  }
  return resource;
}

/**
 * What becomes of a resource's Output where the resource may fail: undefined then. Made for what is registered or exported;
 * what depends on the Output itself fails with it.
 */
export function unlessFailed<T>(output: pulumi.Output<T>): pulumi.Output<T | undefined> {
  return pulumi.recover<T | undefined>(output, (error) => {
    // A mistake of the program has not been told by anyone else.
    if (pulumi.ResourceError.isInstance(error) || pulumi.RunError.isInstance(error)) throw error;
    return undefined;
  });
}
