#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from "commander";
import { CalendarError } from "../systemd/calendar.ts";
import { CronError } from "../systemd/cron.ts";
import { baseTime, calendar, knownZone } from "./calendar.ts";
import { drift } from "./drift.ts";
import { fmt } from "./fmt.ts";
import { lint } from "./lint.ts";
import { logForms } from "./logs/log-text.ts";
import { logs } from "./logs/logs.ts";
import { render } from "./render/render.ts";
import { review } from "./review/review.ts";
import { schedule } from "./schedule/schedule.ts";
import { score } from "./score.ts";
import { status } from "./status/status.ts";
import { styleFor, type Terminal } from "./terminal.ts";
import { nameOfInput, UsageError } from "./unit-source.ts";

const terminal: Terminal = {
  print: (...lines) => void process.stdout.write(lines.map((line) => `${line}\n`).join("")),
  complain: (...lines) => void process.stderr.write(lines.map((line) => `${line}\n`).join("")),
  style: styleFor(process.stdout.isTTY, process.env),
};

const defaultWatchSec = 2;
/** Whether the command ends only when somebody ends it, or when nobody reads it any more. */
let isEndless = false;
const json = new Option("--json", "print JSON for programs");
const inputName = new Option("--name <unit>", "name of the unit from standard input").default(nameOfInput);
const systemd = new Option("--systemd <version>", "target version of systemd").argParser(versionNumber);

function versionNumber(text: string): number {
  if (!/^\d{3}$/.test(text)) throw new InvalidArgumentError("write a version such as 247 or 257");
  return Number(text);
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("write a whole number from 1 to 9999");
  return Number(text);
}

function lineCount(text: string): number | "all" {
  if (text === "all") return text;
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("write a whole number up to 999999, or all");
  return Number(text);
}

function priority(text: string): string {
  const level = "(emerg|alert|crit|err|warning|notice|info|debug|[0-7])";
  if (new RegExp(`^${level}(\\.\\.${level})?$`).test(text)) return text;
  throw new InvalidArgumentError(
    "write emerg, alert, crit, err, warning, notice, info, debug, 0 to 7, or a range such as err..info",
  );
}

function invocationId(text: string): string {
  const id = text.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(id)) throw new InvalidArgumentError("write the 32 hexadecimal digits of an invocation ID");
  return id;
}

function signedInteger(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError("write the number of a generation, 0 or -1");
  return Number(text);
}

function scoreNumber(text: string): number {
  if (!/^(10(\.0)?|\d(\.\d)?)$/.test(text)) throw new InvalidArgumentError("write a score from 0.0 to 10.0");
  return Number(text);
}

/** The `pulumi-systemd` command. Each action ends with the exit status that its function returns. */
function command(): Command {
  const program = new Command("pulumi-systemd")
    .description("Checks and explains systemd units, and looks at the hosts of a stack.")
    .configureHelp({ sortSubcommands: true })
    .showHelpAfterError("(--help says more)");

  program
    .command("lint")
    .description("all that is wrong with unit files, also what systemd never says")
    .argument(
      "<file...>",
      "unit files, drop-ins, folders of them, or - for standard input; those of one folder are looked at together, as the units of one host",
    )
    .addOption(systemd)
    .option(
      "--complete",
      "the files of a folder are all units of ours there: what they name and do not have is missing",
    )
    .addOption(inputName)
    .addOption(json)
    .addHelpText(
      "after",
      `
Exits with 1 when there is an error among the findings. docs/lints.md tells of each rule.

Examples:
  pulumi-systemd lint api.service api.socket
  pulumi-systemd lint --systemd 247 units/*       # what is too new for Debian 11 is an error
  pulumi-systemd lint api.service api.service.d/*.conf   # merged as systemd does
  pulumi-systemd lint --name api.service - < api.service
  pulumi-systemd lint --json units/* | jq '.[] | select(.severity == "error")'`,
    )
    .action((files: string[], options) => ended(() => lint(files, options, terminal)));

  program
    .command("score")
    .description("exposure of services, equal to `systemd-analyze security --offline=yes`")
    .argument("<file...>", "unit files, or - for standard input")
    .addOption(new Option("--systemd <version>", "target version of systemd").argParser(versionNumber).default(252))
    .option("--threshold <score>", "exit with 1 when a score is above this, 0.0 to 10.0", scoreNumber)
    .option("--explain", "print each test that is not good: what it means, what to write, and what that may break")
    .option("--suggest", "print the smallest set of directives that reaches --to")
    .option("--to, --target <score>", "wanted score of --suggest", scoreNumber, 2.0)
    .addOption(inputName)
    .addOption(json)
    .addHelpText(
      "after",
      `
Examples:
  pulumi-systemd score api.service worker.service
  pulumi-systemd score --threshold 2.5 units/*.service     # a gate in CI
  pulumi-systemd score --explain api.service
  pulumi-systemd score --suggest --to 2.0 api.service`,
    )
    .action((files: string[], options) => ended(() => score(files, options, terminal)));

  program
    .command("calendar")
    .description("normal form and next elapses of an OnCalendar= expression or a cron schedule")
    .argument("<expression>", "such as 'Mon..Fri 09:00', or with --cron '*/15 * * * *'")
    .option("--base <time>", "elapses after this time, ISO 8601, UTC unless it says otherwise (default: now)")
    .option("--iterations <count>", "how many elapses", positiveInteger, 1)
    .option("--timezone <zone>", "time zone of the host, for expressions that name none", "UTC")
    .option("--cron", "the expression is a crontab schedule")
    .addOption(json)
    .addHelpText(
      "after",
      `
Examples:
  pulumi-systemd calendar --iterations 5 '*-*-* 03:00:00'
  pulumi-systemd calendar --cron '30 7 * * 1'
  pulumi-systemd calendar --base 2026-03-28T12:00:00Z '02:30 Europe/Berlin'   # a time that summer time skips`,
    )
    .action((expression: string, options) => ended(() => calendar(expression, options, terminal)));

  program
    .command("fmt")
    .description("the canonical form of a unit file, on standard output")
    .argument("<file>", "unit file, or - for standard input")
    .addHelpText("after", "\nExample:\n  pulumi-systemd fmt api.service | diff api.service -")
    .action((file: string) => ended(() => fmt(file, terminal)));

  program
    .command("render")
    .description("the exact files of every host of a stack, without secrets; no host is asked")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option("--out <folder>", "write them here, one folder for each host, in place of printing them")
    .option("--check", "write nothing; exit with 1 when the folder of --out is not current")
    .addOption(json)
    .addHelpText(
      "after",
      `
Examples:
  pulumi-systemd render --stack prod
  pulumi-systemd render --stack prod --out rendered            # commit it, so that a diff of it can be reviewed
  pulumi-systemd render --stack prod --out rendered --check    # in CI`,
    )
    .action((options) => ended(() => render(options, terminal)));

  program
    .command("review")
    .description("what a change of the program brings to each host, and why; no host is asked but for --drift")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option(
      "--base <base>",
      "compare with this revision of git, or with what `render` wrote: a folder or its JSON",
      "HEAD",
    )
    .option("--markdown <file>", "write it here as Markdown, cut to fit in a comment on a pull request")
    .option("--html <file>", "write it here as a page that needs nothing else")
    .option(
      "--policy-pack-config <file>",
      "levels and limits of the policies, the file that `pulumi preview` gets; without it all is advice",
    )
    .option("--policy-pack <folder>", "where paths in that file begin (default: where it lies)")
    .addOption(
      new Option(
        "--fail-on <level>",
        "exit with 1 when a finding of that level stands: mandatory, or advisory for any",
      ).choices(["mandatory", "advisory"]),
    )
    .option("--drift", "also log in to each host and tell how it differs from what was applied to it")
    .option("--timezone <zone>", "time zone of the hosts, for timers that name none", "UTC")
    .addOption(json)
    .addHelpText(
      "after",
      `
Without --markdown or --html the whole report is printed as Markdown.

Examples:
  pulumi-systemd review --stack prod                                # what is not committed yet
  pulumi-systemd review --stack prod --base origin/main --markdown review.md --html review.html
  pulumi-systemd review --stack prod --policy-pack-config policies/config/prod.json --fail-on mandatory
  pulumi-systemd review --stack prod --base origin/main --drift
  pulumi-systemd review --stack prod --base rendered --json | jq '.hosts[].units[] | {unit, action}'`,
    )
    .action(({ timezone, ...options }) => ended(() => review({ ...options, timezone: knownZone(timezone) }, terminal)));

  program
    .command("schedule")
    .description("when each timer of a stack elapses on which host, and what is worth a second look; no host is asked")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option("--base <time>", "elapses after this time, ISO 8601, UTC unless it says otherwise (default: now)")
    .option("--iterations <count>", "how many elapses of each timer", positiveInteger, 1)
    .option("--timezone <zone>", "time zone of the hosts, for expressions that name none", "UTC")
    .option("--svg <file>", "write a picture of the next seven days, one row per timer")
    .addOption(json)
    .addHelpText(
      "after",
      `
Examples:
  pulumi-systemd schedule --stack prod
  pulumi-systemd schedule --stack prod --timezone Europe/Berlin --svg week.svg
  pulumi-systemd schedule --stack prod --json | jq '.notes[]'`,
    )
    .action(({ base, timezone, ...options }) =>
      ended(() => schedule({ ...options, base: baseTime(base), timezone: knownZone(timezone) }, terminal)),
    );

  program
    .command("drift")
    .description("how the hosts of a stack differ from what was applied there, and from what the program says now")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option("--host <name...>", "only these hosts", [])
    .option("--parallel <count>", "how many hosts are looked at at once", positiveInteger, 16)
    .addOption(json)
    .addHelpText(
      "after",
      `
It changes nothing, and logs in to each host once. Exits with 0 when nothing differs, with 1 when something does, and with 2
when a host could not be looked at. docs/drift.md tells of each kind.

Examples:
  pulumi-systemd drift --stack prod
  pulumi-systemd drift --stack prod --host web1 --json | jq '.hosts[].report.findings[]'`,
    )
    .action(({ host, ...options }) => ended(() => drift({ ...options, hosts: host }, terminal)));

  program
    .command("status")
    .description("how every managed unit of every host of a stack is: state, restarts, memory, timers, health, drift")
    .argument("[unit...]", "names of units or shell patterns; without one, all")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option("--host <name...>", "only these hosts", [])
    .option("--parallel <count>", "how many hosts are asked at once", positiveInteger, 16)
    .option("--watch [seconds]", "look again and again, every 2 seconds if not said otherwise", positiveInteger)
    .addOption(json)
    .addHelpText(
      "after",
      `
It changes nothing, and logs in to each host once. Exits with 0 when all is well, with 1 when a unit has failed or is down
and should run, or a check is not well, and with 2 when a host could not be asked or no host has the unit. Drift is shown
and does not count: \`pulumi-systemd drift\` says more. docs/status-and-logs.md tells of each column.

Examples:
  pulumi-systemd status --stack prod
  pulumi-systemd status --stack prod api 'nightly*' --host web1
  pulumi-systemd status --stack prod --watch
  pulumi-systemd status --stack prod --json | jq '.hosts[].status.units[] | select(.well | not) | .name'`,
    )
    .action((units: string[], { host, watch, ...options }) => {
      isEndless = watch !== undefined;
      const every = watch === undefined ? {} : { watch: watch === true ? defaultWatchSec : watch };
      const isScreen = process.stdout.isTTY;
      return ended(() => status({ ...options, ...every, units, hosts: host, isScreen }, terminal));
    });

  program
    .command("health")
    .description("the health checks of a stack")
    .command("log")
    .description("what the checks of a stack saw, did and told, on all its hosts, merged by time")
    .argument("[check...]", "names of checks or of groups of them; without one, all of the stack")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option("--host <name...>", "only these hosts", [])
    .option("-f, --follow", "go on with what comes; a lost connection is picked up where it was")
    .option("-n, --lines <count>", "only the last entries, of all hosts together; or all", lineCount)
    .option("-S, --since <time>", "from then on: a time of systemd.time(7), by each host's clock and time zone")
    .option("-U, --until <time>", "up to then")
    .addOption(new Option("-o, --output <form>", "how entries are shown").choices(logForms).default("short"))
    .addHelpText(
      "after",
      `
Exits with 2 when a host could not be asked, or no host has the check. docs/health.md says what each word means.

Examples:
  pulumi-systemd health log --stack prod --since today
  pulumi-systemd health log --stack prod -f shop/api
  pulumi-systemd health log --stack prod -o json | jq -r 'select(.PULUMI_SYSTEMD_EVENT == "outage") | .MESSAGE'`,
    )
    .action((checks: string[], { host, ...options }) => {
      isEndless = options.follow === true;
      return ended(() => logs({ ...options, units: [], checks, hosts: host }, terminal));
    });

  program
    .command("logs")
    .description("the journals of a stack's units on all its hosts, merged by time")
    .argument("[unit...]", "names of units or shell patterns; without one, all of the stack")
    .requiredOption("-s, --stack <name>", "stack of the project: dev, ORG/dev or ORG/PROJECT/dev")
    .option("-C, --cwd <folder>", "folder of the Pulumi project", ".")
    .option("--config-file <file>", "config of the stack, in place of Pulumi.STACK.yaml")
    .option("--host <name...>", "only these hosts", [])
    .option("-f, --follow", "go on with what comes; a lost connection is picked up where it was")
    .option("-n, --lines <count>", "only the last entries, of all hosts together; or all", lineCount)
    .option(
      "-p, --priority <range>",
      "only entries of this priority and worse, or of a range such as err..warning",
      priority,
    )
    .option("-S, --since <time>", "from then on: a time of systemd.time(7), by each host's clock and time zone")
    .option("-U, --until <time>", "up to then")
    .addOption(new Option("-o, --output <form>", "how entries are shown").choices(logForms).default("short"))
    .option("--invocation <id>", "only of this run of a unit; `status --json` has the ids", invocationId)
    .option(
      "--generation <number>",
      "only while this generation was there: its number, 0 the present, -1 the one before",
      signedInteger,
    )
    .addHelpText(
      "after",
      `
It changes nothing, and logs in to each host once. Options mean what they mean to journalctl. Exits with 2 when a host could
not be asked, or no host has the unit. docs/status-and-logs.md says more.

Examples:
  pulumi-systemd logs --stack prod -n 100
  pulumi-systemd logs --stack prod -f api 'worker*'
  pulumi-systemd logs --stack prod -p err --since -1h
  pulumi-systemd logs --stack prod --generation 0 api        # since the last deployment
  pulumi-systemd logs --stack prod --since today -o json | jq -r .PULUMI_SYSTEMD_HOST | sort | uniq -c`,
    )
    .action((units: string[], { host, ...options }) => {
      isEndless = options.follow === true;
      return ended(() => logs({ ...options, units, hosts: host }, terminal));
    });

  return program;
}

async function ended(action: () => number | Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof CalendarError || error instanceof CronError)) throw error;
    terminal.complain(error.message);
    process.exitCode = 1;
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader has seen enough, as with `| head`.
  if (error.code !== "EPIPE") throw error;
  if (isEndless) process.exit(0);
});
await command().parseAsync();
