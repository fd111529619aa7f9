import { z } from "zod";
import { type Bundle, bundleSchema } from "../../activation/bundle.ts";
import { unitDigests } from "../../activation/digests.ts";
import { UsageError } from "../unit-source.ts";

/** Stands for the content of a secret file. */
export const secretPlaceholder = "[secret]\n";

const placeholderIndex = { pip: secretPlaceholder, uv: secretPlaceholder };

/**
 * What one host must become as files, by their path below a folder of its own: `files/` holds every unit and file at its
 * path on the host, `host.json` all else. No secret is in it: the content of a secret file is a placeholder.
 */
export function hostFiles(bundle: Bundle): Map<string, string> {
  const { units, files, releases, ...host } = bundle;
  const rest = {
    ...host,
    units: units.map(({ content: _content, digests: _digests, ...unit }) => unit),
    files: files.map(({ content: _content, ...file }) => file),
    releases: releases.map(({ upload: _upload, environment, ...release }) => ({
      ...release,
      // The settings of a package index may hold its password.
      environment: environment && { ...environment, index: environment.index && placeholderIndex },
    })),
  };
  return new Map(
    [
      ...units.map(({ path, content }) => [`files${path}`, content] as const),
      ...files.map(({ path, content, secret }) => [`files${path}`, secret ? secretPlaceholder : content] as const),
      ["host.json", `${JSON.stringify(rest, null, 2)}\n`] as const,
    ].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const hostFile = z.looseObject({
  units: z.array(z.looseObject({ path: z.string() })),
  files: z.array(z.looseObject({ path: z.string() })),
  releases: z.array(z.looseObject({ name: z.string() })),
});

/**
 * The bundle of which `hostFiles` made these files; secret contents and the names of uploads are placeholders.
 * @param origin names the place where they are from in an error
 * @throws UsageError when a file is missing or they are not of this version
 */
export function bundleOfFiles(files: ReadonlyMap<string, string>, origin: string): Bundle {
  const content = (path: string) => {
    const text = files.get(`files${path}`);
    if (text === undefined) throw new UsageError(`${origin}: files${path} is missing; render it again`);
    return text;
  };
  try {
    const { units, files: beside, releases, ...host } = hostFile.parse(JSON.parse(files.get("host.json") ?? ""));
    return bundleSchema.parse({
      ...host,
      units: units.map((unit) => {
        const text = content(unit.path);
        return { ...unit, content: text, digests: unitDigests(text) };
      }),
      files: beside.map((file) => ({ ...file, content: content(file.path) })),
      releases: releases.map((release) => ({ ...release, upload: "none" })),
    });
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
    throw new UsageError(`${origin}: host.json is not of this version of pulumi-systemd; render it again`);
  }
}
