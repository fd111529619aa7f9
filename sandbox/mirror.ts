import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The Debian mirror that the machine's own apt sources name, or undefined when they name none (on Ubuntu for example),
 * so that mmdebstrap takes its own default.
 *
 * `PULUMI_SYSTEMD_DEBIAN_MIRROR` overrides both, for example for a release that has moved to an archive.
 *
 * @param aptFolder - where apt keeps its sources. @default "/etc/apt"
 */
export function debianMirror(env: NodeJS.ProcessEnv = process.env, aptFolder = "/etc/apt"): string | undefined {
  const chosen = env.PULUMI_SYSTEMD_DEBIAN_MIRROR;
  if (chosen !== undefined && chosen !== "") return chosen;
  for (const file of sourceFiles(aptFolder)) {
    const text = readFileSync(file, "utf8");
    const sources = file.endsWith(".sources") ? deb822Sources(text) : oneLineSources(text);
    const mirror = sources.find(isDebianArchive)?.uri;
    if (mirror !== undefined) return mirror;
  }
  return undefined;
}

/** One place that apt takes binary packages from. */
export interface AptSource {
  /** For example `http://mirror.example/debian`. */
  uri: string;
  /** For example `bookworm`, `bookworm-updates`. */
  suites: string[];
  /** For example `main`. */
  components: string[];
}

/** The sources of a file in apt's deb822 format (`sources.list.d/*.sources`); disabled ones and `deb-src` are left out. */
export function deb822Sources(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    let name = "";
    for (const line of stanza.split("\n")) {
      if (line.startsWith("#") || line.trim() === "") continue;
      const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (field !== null) name = field[1]!.toLowerCase();
      fields.set(name, `${fields.get(name) ?? ""} ${field === null ? line.trim() : field[2]!}`.trim());
    }
    const words = (key: string) => (fields.get(key) ?? "").split(/\s+/).filter((word) => word !== "");
    if (!words("types").includes("deb") || fields.get("enabled")?.toLowerCase() === "no") return [];
    return words("uris").map((uri) => ({ uri, suites: words("suites"), components: words("components") }));
  });
}

/** The sources of a file in apt's one-line format (`sources.list`); `deb-src` lines are left out. */
export function oneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const source = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (source === null) return [];
    const [, uri, suite, components] = source;
    return [{ uri: uri!, suites: [suite!], components: components!.trim().split(/\s+/) }];
  });
}

const debianSuites = /^(oldoldstable|oldstable|stable|testing|sid|unstable|bullseye|bookworm|trixie|forky|duke)$/;

// Third parties publish under Debian's suite names too, but not at a path that ends as Debian's archive does.
function isDebianArchive({ uri, suites, components }: AptSource): boolean {
  return (
    /^https?:\/\/.*\/debian(\/\d{8}T\d{6}Z)?\/?$/.test(uri) &&
    components.includes("main") &&
    suites.some((suite) => debianSuites.test(suite))
  );
}

function sourceFiles(aptFolder: string): string[] {
  const listed = (folder: string) => {
    try {
      return readdirSync(folder).sort();
    } catch {
      return [];
    }
  };
  return [
    ...listed(aptFolder).filter((name) => name === "sources.list"),
    ...listed(join(aptFolder, "sources.list.d"))
      .filter((name) => /\.(sources|list)$/.test(name))
      .map((name) => join("sources.list.d", name)),
  ].map((name) => join(aptFolder, name));
}
