// Deploys services the way that most programs do today: a command for each account, file, enablement and start. It is that
// idea at its best: no copy to a second place, secrets on standard input, one daemon-reload, restarts by triggers.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

const file = z.object({ path: z.string(), mode: z.string(), content: z.string() });
const input = z
  .object({
    hosts: z.array(
      z.object({
        name: z.string(),
        connection: z.object({
          host: z.string(),
          port: z.number(),
          user: z.string(),
          hostKey: z.string(),
          privateKey: z.string(),
        }),
      }),
    ),
    directories: z.array(z.string()),
    users: z.array(z.object({ name: z.string(), home: z.string() })),
    files: z.array(file),
    units: z.array(file.extend({ name: z.string() })),
  })
  .parse(JSON.parse(readFileSync(process.env.BENCH_INPUT ?? "", "utf8")));

for (const { name: host, connection: plain } of input.hosts) {
  const connection = { ...plain, privateKey: pulumi.secret(plain.privateKey) };
  const common = { connection, addPreviousOutputInEnv: false };
  const users = input.users.map(
    ({ name, home }) =>
      new remote.Command(`${host}-user-${name}`, {
        ...common,
        create: `id ${name} >/dev/null 2>&1 || sudo useradd --system --home-dir ${home} --shell /usr/sbin/nologin ${name}`,
        delete: `sudo userdel ${name}`,
      }),
  );
  // Deleted after all files: systemd then forgets the units.
  const forget = new remote.Command(`${host}-forget`, { ...common, delete: "sudo systemctl daemon-reload" });
  const directories = input.directories.map(
    (path) =>
      new remote.Command(`${host}-directory-${path}`, {
        ...common,
        create: `sudo install -d -m 0755 ${path}`,
        delete: `sudo rmdir ${path}`,
      }),
  );
  const written = ({ path, mode, content }: z.infer<typeof file>, secret: boolean) => {
    const install = `sudo install -m ${mode} /dev/stdin ${path}`;
    const stdin = secret ? pulumi.secret(content) : content;
    return new remote.Command(
      `${host}-file-${path}`,
      { ...common, create: install, update: install, delete: `sudo rm -f ${path}`, stdin },
      { dependsOn: [...users, ...directories, forget] },
    );
  };
  const secrets = input.files.map((each) => written(each, true));
  const units = input.units.map((each) => written(each, false));
  const digest = createHash("sha256").update(JSON.stringify(input.units)).digest("hex");
  const reload = new remote.Command(
    `${host}-daemon-reload`,
    {
      ...common,
      // Another text is an update, which runs it again.
      create: `sudo systemctl daemon-reload # ${digest}`,
    },
    { dependsOn: units },
  );
  for (const { name, content } of input.units) {
    new remote.Command(
      `${host}-run-${name}`,
      {
        ...common,
        // The text changes with the unit.
        create: `sudo systemctl enable --now ${name} # ${createHash("sha256").update(content).digest("hex")}`,
        update: `sudo systemctl restart ${name}`,
        delete: `sudo systemctl disable --now ${name}`,
      },
      { dependsOn: [reload, ...secrets] },
    );
  }
}
