import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxHost } from "../sandbox/host.ts";

const folder = join(import.meta.dirname, "..", "examples", "django-watch");

/** What examples/django-watch expects of Debian on its host. */
export const djangoWatchPackages: readonly string[] = ["nginx-light", "postgresql", "logrotate"];

/** Puts the site, the database and its role on a host, as the example's own `prepare.sh` does. Once. */
export async function prepareDjangoWatch(host: SandboxHost): Promise<void> {
  for (const file of ["prepare.sh", "nginx.conf"]) {
    await host.writeFile(`/root/django-watch/${file}`, readFileSync(join(folder, file)));
  }
  await host.output("sh /root/django-watch/prepare.sh");
}
