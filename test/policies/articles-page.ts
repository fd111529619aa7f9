/** The measured parts of docs/articles.md: `node test/policies/articles-page.ts` writes them anew. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ownRules, rules } from "../../policies/policies.ts";
import { exposureOf } from "../../systemd/exposure.ts";
import { parseUnitFile, unitModel } from "../../systemd/unit-file.ts";
import { reported, unitResource } from "./resource-args.ts";

const root = join(import.meta.dirname, "../..");
export const articlesPage = join(root, "docs/articles.md");

/** What the gate of an environment says of one unit. */
interface Verdict {
  readonly policy: string;
  readonly refuses: boolean;
  readonly message: string;
}

/** A unit of an article as it stands there. */
interface ArticleUnit {
  /** Folder and file: `bot/namebot.service`. */
  readonly path: string;
  readonly name: string;
  readonly verdicts: readonly Verdict[];
  /** `9.6 UNSAFE`, undefined for what is no service. */
  readonly exposure: string | undefined;
}

/** All units of the articles with what the gate of `prod` says of each alone. */
export function articleUnits(): ArticleUnit[] {
  const config = JSON.parse(readFileSync(join(root, "policies/config/prod.json"), "utf8"));
  return globSync("examples/articles/*/*.{service,socket,timer}", { cwd: root })
    .sort()
    .map((file) => {
      const text = readFileSync(join(root, file), "utf8");
      const name = basename(file);
      const parsed = parseUnitFile(text);
      const verdicts = rules.flatMap((rule): Verdict[] => {
        const own = config[rule.name];
        const { enforcementLevel = rule.level, ...settings } =
          typeof own === "object" ? own : { enforcementLevel: own };
        if (enforcementLevel === "disabled") return [];
        const resource = { ...unitResource(name, text, { sections: unitModel(parsed) }), config: settings };
        return reported([rule], [resource]).map(({ policy, level = enforcementLevel, message }) => ({
          policy,
          refuses: level !== "advisory",
          message,
        }));
      });
      const score = name.endsWith(".service") ? exposureOf(name, parsed) : undefined;
      const exposure = score === undefined ? undefined : `${score.exposure.toFixed(1)} ${score.rating}`;
      return { path: file.replace(/^examples\/articles\//, ""), name, verdicts, exposure };
    });
}

/** The page with each block between `<!-- NAME -->` and `<!-- end -->` as it is measured now. */
export function measuredPage(page: string): string {
  const units = articleUnits();
  return page.replace(/<!-- (\S+?)(?: (\S+))? -->\n[\s\S]*?<!-- end -->/g, (_, block: string, of: string = "") => {
    const head = `<!-- ${block}${of === "" ? "" : ` ${of}`} -->`;
    return `${head}\n${measured(block, of, units)}\n<!-- end -->`;
  });
}

function measured(block: string, of: string, units: readonly ArticleUnit[]): string {
  if (block === "matrix") return matrix(units);
  if (block === "lint") return lintFindings(of);
  if (block === "cron") return cronLines(of);
  const unit = units.find(({ path }) => path === of);
  if (block !== "verdicts" || unit === undefined) throw new Error(`docs/articles.md: no block ${block} ${of}`);
  return verdictLines(unit);
}

const link = (policy: string) =>
  `[${policy}](${ownRules.some(({ name }) => name === policy) ? "policies" : "lints"}.md#${policy})`;

/** What more than half of the services have in common; the blocks of the units leave it out. */
function commonPolicies(units: readonly ArticleUnit[]): Set<string> {
  const services = units.filter(({ name }) => name.endsWith(".service"));
  const policies = new Set(services.flatMap(({ verdicts }) => verdicts.map(({ policy }) => policy)));
  const counted = [...policies].map((policy) => {
    const having = services.filter(({ verdicts }) => verdicts.some((verdict) => verdict.policy === policy));
    return { policy, count: having.length };
  });
  return new Set(counted.filter(({ count }) => count * 2 > services.length).map(({ policy }) => policy));
}

function matrix(units: readonly ArticleUnit[]): string {
  const mark = ({ verdicts }: ArticleUnit, policy: string) => {
    const own = verdicts.filter((verdict) => verdict.policy === policy);
    return own.some(({ refuses }) => refuses) ? "**no**" : own.length > 0 ? "hint" : "";
  };
  const policies = [...new Set(units.flatMap(({ verdicts }) => verdicts.map(({ policy }) => policy)))];
  const weight = (policy: string) =>
    units.filter((unit) => mark(unit, policy) === "**no**").length * 100 +
    units.filter((unit) => mark(unit, policy) !== "").length;
  const short = ({ name }: ArticleUnit) => name.replace(/\.service$/, "");
  return [
    `| | ${units.map(short).join(" | ")} |`,
    `|---|${units.map(() => "---|").join("")}`,
    `| exposure | ${units.map(({ exposure = "" }) => exposure.split(" ")[0]).join(" | ")} |`,
    ...policies
      .toSorted((a, b) => weight(b) - weight(a) || (a < b ? -1 : 1))
      .map((policy) => `| ${link(policy)} | ${units.map((unit) => mark(unit, policy)).join(" | ")} |`),
  ].join("\n");
}

function verdictLines({ name, verdicts }: ArticleUnit): string {
  const all = articleUnits();
  const common = commonPolicies(all);
  const own = verdicts.filter(({ policy }) => !common.has(policy));
  return own
    .map(({ policy, refuses, message }) => {
      const said = message.replace(`${name}: `, "");
      return `- ${refuses ? "**no**" : "hint"}, ${link(policy)}: ${said.replaceAll("|", "\\|")}`;
    })
    .join("\n");
}

/** What the command says of a folder, in its own words. */
function lintFindings(folder: string): string {
  const command = ["lint", `examples/articles/${folder}`];
  return ["```", `$ pulumi-systemd ${command.join(" ")}`, output(command).trimEnd(), "```"].join("\n");
}

/** What the lines of a crontab become. */
function cronLines(file: string): string {
  const lines = readFileSync(join(root, "examples/articles", file), "utf8").split("\n");
  const schedules = [...new Set(lines.flatMap((line) => /^((?:\S+ ){4}\S+) \//.exec(line)?.[1] ?? []))];
  const rows = schedules.map((cron) => {
    const { onCalendar } = JSON.parse(output(["calendar", "--json", "--cron", cron]));
    return `| \`${cron}\` | ${onCalendar.map((line: string) => `\`${line}\``).join(" ")} |`;
  });
  return ["| cron | OnCalendar= |", "|---|---|", ...rows].join("\n");
}

function output(command: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, "cli/main.ts"), ...command], {
    cwd: root,
    encoding: "utf8",
  });
  if (stderr !== "") throw new Error(stderr);
  return stdout;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(articlesPage, measuredPage(readFileSync(articlesPage, "utf8")));
}
