import type { SandboxHost } from "../../sandbox/host.ts";

/** The host's files that hold one of the texts. The texts themselves are in no argument. */
export async function filesWith(host: SandboxHost, texts: readonly string[]): Promise<string[]> {
  const found = await host.run(
    "grep --recursive --files-with-matches --text --fixed-strings --no-messages --devices=skip --file=- /etc /run /var /tmp /opt /home /root /srv /usr/local /dev/shm",
    { stdin: `${texts.filter((text) => !text.includes("\n")).join("\n")}\n` },
  );
  return found.stdout
    .split("\n")
    .filter((line) => line !== "")
    .sort();
}
