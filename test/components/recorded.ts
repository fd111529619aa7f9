import * as pulumi from "@pulumi/pulumi";

/** A resource as the engine would have got it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Inputs; a secret one is `{ secret: value }`. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

const registered: Registered[] = [];

/** What was logged by `pulumi.log.warn`, without its beginning. Without an engine Pulumi prints it. */
export const warnings: string[] = [];
console.warn = (line: string) => {
  if (!line.startsWith("warning: [runtime] ")) throw new Error(`console.warn: ${line}`);
  warnings.push(line.slice("warning: [runtime] ".length));
};
const secretMark = "4dabf18193072939515e22adb298388d";

await pulumi.runtime.setMocks(
  {
    newResource: ({ type, name, inputs }) => {
      registered.push({
        type,
        name,
        inputs: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, marked(value)])),
      });
      return { id: `${name}-id`, state: { ...inputs, stdout: receipt } };
    },
    call: () => ({}),
  },
  "shop",
  "dev",
);

const receipt = JSON.stringify({
  format: 1,
  scope: "shop/dev/web1",
  outcome: "applied",
  generation: 1,
  transaction: "t1",
  systemd: 252,
  hostname: "web1",
  daemonReloads: 1,
  actions: [],
  units: [],
  warnings: [],
});

function marked(value: unknown): unknown {
  const isSecret = typeof value === "object" && value !== null && secretMark in value;
  return isSecret ? { secret: (value as unknown as { value: unknown }).value } : value;
}

/** What was registered under a name; wait for an Output that depends on it first. */
export function inputsOf(type: string, name: string): Readonly<Record<string, unknown>> {
  const found = registered.filter((resource) => resource.type === type && resource.name === name);
  if (found.length !== 1) throw new Error(`${found.length} resources ${type} ${name} were registered`);
  return found[0]?.inputs ?? {};
}

/** The value of an Output; rejects when it fails. */
export function settledValue<T>(output: pulumi.Output<T>): Promise<T> {
  // The SDK has no public way to await an Output outside of a program.
  return (output as unknown as { promise(): Promise<T> }).promise();
}
