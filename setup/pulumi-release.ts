import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commandOutput } from "./command.ts";

const platforms: Readonly<Record<string, string>> = {
  "linux x64": "linux-x64",
  "linux arm64": "linux-arm64",
  "darwin x64": "darwin-x64",
  "darwin arm64": "darwin-arm64",
};

/**
 * Puts Pulumi's release `version` for this platform into `target`/bin, when it is not there: downloaded, checked against
 * the release's own list of SHA-256 sums, unpacked beside `target` and renamed, so that `target` is never half there.
 *
 * @param releases - the address that holds `v<version>/` folders of release files.
 * @throws Error when the platform has no release, a download fails, or the sum differs.
 */
export async function installedRelease(
  releases: string,
  version: string,
  target: string,
  progress: (line: string) => void,
): Promise<void> {
  if (existsSync(join(target, "bin", "pulumi")) && existsSync(join(target, "bin", "pulumi-language-nodejs"))) return;
  const platform = platforms[`${process.platform} ${process.arch}`];
  if (platform === undefined) {
    throw new Error(
      `there is no Pulumi release for ${process.platform} ${process.arch}: install pulumi on PATH yourself`,
    );
  }
  const name = `pulumi-v${version}-${platform}.tar.gz`;
  const sums = `pulumi-${version}-checksums.txt`;
  progress(`downloading Pulumi ${version} (${name})`);
  const expected = publishedSum((await downloaded(`${releases}/v${version}/${sums}`)).toString("utf8"), name);
  if (expected === undefined) throw new Error(`${sums} of Pulumi's release ${version} does not list ${name}`);
  const archive = await downloaded(`${releases}/v${version}/${name}`);
  const found = createHash("sha256").update(archive).digest("hex");
  if (found !== expected) {
    throw new Error(`${name} is not what Pulumi published: its SHA-256 is ${found}, ${sums} says ${expected}`);
  }
  mkdirSync(dirname(target), { recursive: true });
  const partial = mkdtempSync(`${target}.partial-`);
  try {
    const file = join(partial, name);
    writeFileSync(file, archive);
    await commandOutput(`unpacking ${name}`, ["tar", "-xzf", file, "-C", partial]);
    rmSync(file);
    // The archive holds one folder, pulumi/, with the programs; older ones kept them in pulumi/bin/.
    const programs = join(partial, "pulumi");
    if (!existsSync(join(programs, "bin"))) {
      renameSync(programs, join(partial, "bin"));
      mkdirSync(programs);
      renameSync(join(partial, "bin"), join(programs, "bin"));
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(programs, target);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** The SHA-256 sum that a `<sum>  <file>` list gives for a file. */
function publishedSum(list: string, file: string): string | undefined {
  const line = list.split("\n").find((entry) => entry.trim().split(/\s+\*?/)[1] === file);
  return line?.trim().split(/\s+/)[0]?.toLowerCase();
}

async function downloaded(address: string): Promise<Buffer> {
  const advice = "install pulumi on PATH yourself where this address cannot be reached";
  let response: Response;
  try {
    response = await fetch(address, { signal: AbortSignal.timeout(600_000) });
    if (response.ok) return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Error(`cannot download ${address} (${cause}): ${advice}`, { cause: error });
  }
  throw new Error(`cannot download ${address} (HTTP ${response.status}): ${advice}`);
}
