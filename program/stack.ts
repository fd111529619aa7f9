import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { DefinitionSource } from "../components/definition.ts";
import { HealthCheck, type HealthCheckArgs } from "../components/health-check.ts";
import { Host } from "../components/host.ts";
import type { HostConnectionArgs } from "../components/host-connection.ts";
import { Notifier } from "../components/notifier.ts";
import { PythonService } from "../components/python-service.ts";
import { Service } from "../components/service.ts";
import { SocketUnit } from "../components/socket-unit.ts";
import { Timer } from "../components/timer.ts";
import { Unit } from "../components/unit.ts";
import { sandboxConnection } from "../sandbox/connection.ts";
import { runError, type StackConfig } from "./config.ts";

/**
 * Defines everything that the config describes and deploys it to the config's hosts.
 * @returns the hosts by name
 * @throws pulumi.RunError or pulumi.ResourceError naming what is wrong
 */
export function deployedHosts(config: StackConfig): Record<string, Host> {
  const definitions = definedUnits(config);
  return Object.fromEntries(
    Object.entries(config.hosts).map(([name, { connection, sandbox, units, ...host }]) => [
      name,
      new Host(name, {
        ...present<object>(host),
        connection: sandbox === undefined ? ownConnection(name, connection) : sandboxHost(name, sandbox),
        units: chosenUnits(name, definitions, units),
      } as ConstructorParameters<typeof Host>[1]),
    ]),
  );
}

/** Every definition of the stack by the file name of its unit. */
function definedUnits(config: StackConfig): Map<string, DefinitionSource> {
  const defined = new Map<string, DefinitionSource>();
  const add = (component: DefinitionSource & { unitName: string }) => {
    if (defined.has(component.unitName)) {
      throw runError(`two definitions in the stack's config make the unit ${component.unitName}; rename one`);
    }
    defined.set(component.unitName, component);
  };
  for (const [name, args] of Object.entries(config.sockets)) add(new SocketUnit(name, present(args)));
  for (const [name, args] of Object.entries(config.services)) add(new Service(name, present(args)));
  for (const [name, args] of Object.entries(config.pythonServices)) add(new PythonService(name, present(args)));
  for (const [name, args] of Object.entries(config.timers)) add(new Timer(name, present(args)));
  const notifiers = new Map(
    Object.entries(config.notifiers).map(([name, args]) => [name, new Notifier(name, present(args))]),
  );
  for (const notifier of notifiers.values()) add(notifier);
  for (const [name, { notify, ...args }] of Object.entries(config.healthChecks)) {
    const told = notify?.map((notifier) => namedNotifier(name, notifier, notifiers));
    add(new HealthCheck(name, { ...present<HealthCheckArgs>(args), ...(told === undefined ? {} : { notify: told }) }));
  }
  for (const [name, args] of Object.entries(config.units)) add(new Unit(name, present(args)));
  return defined;
}

function namedNotifier(check: string, name: string, notifiers: ReadonlyMap<string, Notifier>): Notifier {
  const notifier = notifiers.get(name);
  if (notifier !== undefined) return notifier;
  throw runError(
    `${pulumi.getProject()}:healthChecks.${check}.notify: ${name} is no notifier of this stack; it has ${[...notifiers.keys()].join(", ") || "none"}`,
  );
}

/** The config's schema and the component's are the same, but for `undefined` in place of a missing key. */
function present<T>(args: object): T {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)) as T;
}

function chosenUnits(host: string, definitions: Map<string, DefinitionSource>, units: string[] | undefined) {
  return (units ?? [...definitions.keys()]).map((unit) => {
    const definition = definitions.get(unit);
    if (definition !== undefined) return definition;
    throw runError(
      `${pulumi.getProject()}:hosts.${host}.units: ${unit} is not defined in this stack; it has ${[...definitions.keys()].join(", ") || "none"}`,
    );
  });
}

type OwnConnection = NonNullable<StackConfig["hosts"][string]["connection"]>;

function ownConnection(host: string, connection: OwnConnection | undefined): HostConnectionArgs {
  const { proxy, ...own } = connection ?? { host: "" };
  const field = `${pulumi.getProject()}:hosts.${host}.connection`;
  return present({
    ...withKeyText(field, own),
    proxy: proxy && present(withKeyText(`${field}.proxy`, proxy)),
  });
}

/** An endpoint with the text of its key in place of the key's file. */
function withKeyText<T extends { privateKey?: string | undefined; privateKeyFile?: string | undefined }>(
  field: string,
  { privateKeyFile, ...rest }: T,
) {
  return {
    ...rest,
    privateKey:
      privateKeyFile === undefined ? rest.privateKey : privateKeyText(`${field}.privateKeyFile`, privateKeyFile),
  };
}

function privateKeyText(field: string, file: string): string | undefined {
  const path = file.startsWith("~/") ? join(homedir(), file.slice(2)) : file;
  try {
    return readFileSync(path, "utf8");
  } catch {
    const problem = `${field}: ${file} cannot be read; give the path of a private key`;
    if (!pulumi.runtime.isDryRun()) throw runError(problem);
    // A preview logs in nowhere: it need not have the keys.
    void pulumi.log.warn(problem);
    return undefined;
  }
}

function sandboxHost(host: string, sandbox: string): HostConnectionArgs {
  try {
    const { privateKeyFile, ...rest } = sandboxConnection(sandbox);
    return { ...rest, privateKey: readFileSync(privateKeyFile, "utf8") };
  } catch (error) {
    throw runError(
      `${pulumi.getProject()}:hosts.${host}.sandbox: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
