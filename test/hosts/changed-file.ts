import { readFileSync, writeFileSync } from "node:fs";

/** Has a file changed while `body` runs. */
export async function whileChanged<T>(
  path: string,
  change: (text: string) => string,
  body: () => Promise<T>,
): Promise<T> {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, change(text));
  try {
    return await body();
  } finally {
    writeFileSync(path, text);
  }
}
