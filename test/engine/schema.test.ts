import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer.js";

/** Pulumi's own analyzer makes the schema that its other languages are generated from. */
const components = ["HealthCheck", "Host", "Notifier", "PythonService", "Service", "SocketUnit", "Timer", "Unit"];
const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

type Result = ReturnType<Analyzer["analyze"]>;
let schema: Result;

before(() => {
  const entry = { name: "systemd", main: "components/index.ts" };
  schema = new Analyzer(repository, entry.name, entry, new Set(components)).analyze();
});

/** Every property of every component and type, with where it stands. */
function properties(): [string, { type?: string; description?: string; $ref?: string; items?: unknown }][] {
  const objects = [
    ...Object.values(schema.components).map(({ name, inputs }) => [name, inputs] as const),
    ...Object.values(schema.typeDefinitions).map(({ name, properties }) => [name, properties ?? {}] as const),
  ];
  return objects.flatMap(([name, fields]) =>
    Object.entries(fields).map(([field, property]): [string, typeof property] => [`${name}.${field}`, property]),
  );
}

test("every component can be used from Pulumi's other languages", () => {
  assert.deepEqual(Object.keys(schema.components).sort(), components);
});

test("no argument has lost its type", () => {
  const untyped = properties().filter(([, property]) => JSON.stringify(property).includes("pulumi.json#/Any"));
  assert.deepEqual(
    untyped.map(([where]) => where),
    [],
  );
});

test("every argument is documented", () => {
  const silent = properties().filter(([, property]) => (property.description ?? "").trim() === "");
  assert.deepEqual(
    silent.map(([where]) => where),
    [],
  );
});

test("a component gives out its unit's name, and nothing by accident", () => {
  const outputs = Object.fromEntries(
    Object.values(schema.components).map(({ name, outputs }) => [name, Object.keys(outputs).sort()]),
  );
  const unit = ["definition", "unitName"];
  const service = [...unit, "unitNames"];
  assert.deepEqual(outputs, {
    HealthCheck: unit,
    Host: ["receipt"],
    Notifier: ["definition", "onFailure", "unitName"],
    PythonService: service,
    Service: service,
    SocketUnit: unit,
    Timer: unit,
    Unit: unit,
  });
});
