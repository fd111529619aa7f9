import type { Bundle } from "../../activation/bundle.ts";

/** Stands for the content of a secret file. */
export const secretPlaceholder = "[secret]\n";

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
    releases: releases.map(({ upload: _upload, ...release }) => release),
  };
  return new Map(
    [
      ...units.map(({ path, content }) => [`files${path}`, content] as const),
      ...files.map(({ path, content, secret }) => [`files${path}`, secret ? secretPlaceholder : content] as const),
      ["host.json", `${JSON.stringify(rest, null, 2)}\n`] as const,
    ].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
