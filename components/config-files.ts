import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { DefinedFile } from "./definition.ts";

/** What a change of a configuration file does to the service that runs. */
export const ConfigChange = {
  /** The service reloads: the same process goes on. Needs `reload` or `reloadSignal`. */
  Reload: "reload",
  /** The service restarts. */
  Restart: "restart",
  /** Nothing: the program notices by itself, or at its next start. */
  None: "none",
} as const;
export type ConfigChange = (typeof ConfigChange)[keyof typeof ConfigChange];

/** One file that the program of a service reads. Exactly one of `content` and `source` says what is in it. */
export interface ConfigFileArgs {
  /** The whole content, text that ends in a line break as files do. Nothing secret: it is shown in the preview. */
  content?: pulumi.Input<string>;
  /** Path of a file of this machine, relative to the directory of the Pulumi program, whose content it gets. */
  source?: pulumi.Input<string>;
  /** Octal permission bits; the file belongs to root. Default: `0644`. */
  mode?: pulumi.Input<string>;
  /** What a change of it does. Default: `reload` where the service can, else `restart`. */
  onChange?: pulumi.Input<ConfigChange>;
}

const configPath = z.string().regex(/^(\/[^/\0\n]+)+$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no path of a file on the host; write an absolute one such as /etc/api/app.toml`,
});

/** `configFiles` after all Outputs are known. */
export const configFilesSchema = z.record(
  configPath.refine((path) => !path.split("/").some((part) => part === "." || part === ".."), {
    error: "holds . or ..; write the path without",
  }),
  z
    .strictObject({
      content: z.string().optional(),
      source: z.string().min(1).optional(),
      mode: z
        .string()
        .regex(/^0[0-7]{3}$/, "must be four octal digits in quotes, such as '0640'")
        .optional(),
      onChange: z.enum(["reload", "restart", "none"]).optional(),
    })
    .refine(({ content, source }) => (content === undefined) !== (source === undefined), {
      error: "needs exactly one of `content` and `source`",
    }),
);

export type ConfigFilesPlain = z.infer<typeof configFilesSchema>;

/** Paths of a service's configuration files whose change does this to it. */
export function configPaths(files: ConfigFilesPlain | undefined, canReload: boolean, change: ConfigChange): string[] {
  return Object.entries(files ?? {})
    .filter(([, { onChange = canReload ? "reload" : "restart" }]) => onChange === change)
    .map(([path]) => path)
    .sort();
}

/**
 * The files as a host gets them.
 * @throws Error naming the path of the argument when a source cannot be read
 */
export function configFiles(files: ConfigFilesPlain | undefined): DefinedFile[] {
  return Object.entries(files ?? {}).map(([path, { content, source, mode = "0644" }]) => ({
    path,
    mode,
    ...(source === undefined ? { content: content ?? "" } : sourceContent(path, source)),
    secret: false,
  }));
}

/** Text as it is, other bytes in base64. */
function sourceContent(path: string, source: string): Pick<DefinedFile, "content" | "encoding"> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(source);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "it is no file";
    throw new Error(
      `configFiles[${JSON.stringify(path)}].source: ${JSON.stringify(source)} cannot be read (${reason})`,
    );
  }
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes)
    ? { content: text }
    : { content: bytes.toString("base64"), encoding: "base64" };
}

/** One configuration file, so that a preview shows the lines that change. It is no resource of a host by itself. */
export class ConfigFile extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:ConfigFile";

  constructor(name: string, file: pulumi.Output<DefinedFile>, opts: pulumi.ComponentResourceOptions) {
    const { path, mode, content, encoding } = file;
    super(ConfigFile.__pulumiType, name, { path, mode, content, encoding }, opts);
    this.registerOutputs({});
  }
}
