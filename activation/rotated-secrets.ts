import { z } from "zod";
import { sentBundle } from "./host-command.ts";

/** What a comparison needs of a bundle; another version of this library may have made the rest. */
const filesSchema = z.looseObject({
  files: z.array(
    z.looseObject({
      path: z.string(),
      content: z.string(),
      encoding: z.string().default("utf-8"),
      secret: z.boolean(),
    }),
  ),
});

/**
 * Paths of the secret files that a host has and gets with another content. Neither content nor a digest of it is told.
 * @param before what was sent to the host last, as `sentInput` gave it
 * @param after what is to be sent
 */
export function rotatedSecrets(before: string, after: string): string[] {
  const [old, next] = [before, after].map((text) => filesSchema.safeParse(sentBundle(text)).data?.files ?? []);
  const known = new Map((old ?? []).filter(({ secret }) => secret).map((file) => [file.path, file]));
  return (next ?? [])
    .filter(({ path, content, encoding, secret }) => {
      const before = known.get(path);
      return secret && before !== undefined && (before.content !== content || before.encoding !== encoding);
    })
    .map(({ path }) => path)
    .sort();
}
