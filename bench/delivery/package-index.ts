import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import type { SandboxHost } from "../../sandbox/host.ts";

/** A package index (PEP 503) that this process is, for those who have its password. */
export interface PackageIndex {
  readonly port: number;
  /** Paths that it was asked for. */
  readonly asked: readonly string[];
  close(): void;
}

/** @param wheels paths of the wheels that it has, at every request */
export async function packageIndex(password: string, wheels: () => readonly string[]): Promise<PackageIndex> {
  const wanted = `Basic ${Buffer.from(`deploy:${password}`).toString("base64")}`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { "WWW-Authenticate": "Basic" }).end();
      return;
    }
    const [, kind, name = ""] = (request.url ?? "").split("/");
    const files = wheels();
    if (kind === "files") {
      const file = files.find((path) => path.endsWith(`/${decodeURIComponent(name)}`));
      response.writeHead(file === undefined ? 404 : 200).end(file === undefined ? "" : readFileSync(file));
      return;
    }
    const links = files
      .map((path) => ({ path, file: path.slice(path.lastIndexOf("/") + 1) }))
      .filter(({ file }) => file.split("-")[0]?.toLowerCase().replaceAll(/[._]/g, "-") === name)
      .map(({ path, file }) => `<a href="/files/${encodeURIComponent(file)}#sha256=${sha256(path)}">${file}</a>`);
    response.writeHead(links.length > 0 ? 200 : 404, { "Content-Type": "text/html" }).end(links.join("\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The address of this machine on the host's link. */
export function ownAddress(host: SandboxHost): string {
  const prefix = host.address.slice(0, host.address.lastIndexOf(".") + 1);
  const subnet = (address: string) => Number(address.slice(prefix.length)) >> 2;
  const all = Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
  const own = all.find((address) => address.startsWith(prefix) && subnet(address) === subnet(host.address));
  if (own === undefined) throw new Error(`no interface of this machine is on the link of ${host.address}`);
  return own;
}
