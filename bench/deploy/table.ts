import { type Cell, cell, type Measured, type Results, secondsText, sizesOf } from "./results.ts";
import { operations } from "./workload.ts";

/** What stands over the columns. */
export const operationTitles: Readonly<Record<Measured["operation"], string>> = {
  deploy: "first deploy",
  "no-op": "no-op",
  change: "one directive changed",
  destroy: "destroy",
};

/** `1 host, 20 services`. */
export function sizeTitle(size: string): string {
  const [hosts, services] = size.split("x").map(Number);
  const each = hosts === 1 ? "" : " each";
  return `${hosts} ${hosts === 1 ? "host" : "hosts"}, ${services} ${services === 1 ? "service" : "services"}${each}`;
}

/**
 * The results as Markdown: for each size a table of medians and how they compare with this product's; then the processor
 * time, which does not depend on what else the machine did.
 */
export function tableText(results: Results): string {
  const sizes = sizesOf(results);
  return [
    ...sizes.map((size) => sizeTable(results, size)),
    "Processor seconds of the machine that deploys, all processes of the tool together; what the hosts do is not in it:",
    processorTable(results, sizes),
    ...sizes.map((size) => aboutText(results, size)),
  ].join("\n\n");
}

function processorTable(results: Results, sizes: readonly string[]): string {
  const columns = sizes.flatMap((size) => operations.map((operation) => ({ size, operation })));
  const rows = results.contenders.map(({ id, title }) => {
    const cells = columns.map(({ size, operation }) => cell(results, size, id, operation, "cpuSeconds"));
    return [title, ...cells.map((each) => (each === undefined ? "-" : each.median.toFixed(1)))];
  });
  return markdown(["", ...columns.map(({ size, operation }) => `${size} ${operationTitles[operation]}`)], rows);
}

/** Where a size was measured, and how often. */
function aboutText(results: Results, size: string): string {
  const about = results.sizes[size];
  const own = results.measured.filter((one) => one.size === size);
  const runs = (id: string) => own.filter((one) => one.contender === id && one.operation === "deploy").length;
  const loads = own.map(({ load }) => load);
  const versions = Object.entries(about?.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  return (
    `${size}: ${about?.date}, ${about?.machine.processors} processors (${about?.machine.model}), ` +
    `load ${Math.min(...loads)} to ${Math.max(...loads)}; ${versions.join(", ")}; runs: ` +
    `${results.contenders.map(({ id }) => `${id} ${runs(id)}`).join(", ")}.`
  );
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (words: readonly string[]) => `| ${words.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

function sizeTable(results: Results, size: string): string {
  const cells = (contender: string) => operations.map((operation) => cell(results, size, contender, operation));
  const ours = cells("product");
  const rows = results.contenders
    .filter(({ id }) => cells(id).some((each) => each !== undefined))
    .map(({ id, title }) => {
      const own = id === "product";
      const compared = !own && !unmatched.includes(id);
      const shown = cells(id).map((each, index) => cellText(each, compared ? ours[index] : undefined));
      return [own ? `**${title}**` : title, ...shown];
    });
  const [floor, empty] = [cells("floor"), cells("pulumi-empty")];
  const least = operations.map((_, index) => sum(floor[index], empty[index]));
  if (least.every((seconds) => seconds !== undefined) && ours.every((each) => each !== undefined)) {
    const ratios = least.map((seconds, index) => `${secondsText(seconds!)} (${ratio(ours[index]!.median, seconds!)})`);
    rows.push(["floor and empty run together (pulumi-systemd is so many times that)", ...ratios]);
  }
  return markdown([sizeTitle(size), ...operations.map((operation) => operationTitles[operation])], rows);
}

/** These are what this product is held against; they are no alternative to it. */
const unmatched = ["floor", "pulumi-empty"];

function cellText(own: Cell | undefined, ours: Cell | undefined): string {
  if (own === undefined) return "-";
  return ours === undefined
    ? secondsText(own.median)
    : `${secondsText(own.median)} (${ratio(own.median, ours.median)})`;
}

function sum(one: Cell | undefined, other: Cell | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one.median + other.median;
}

/** `1.2x`, `14x`. */
function ratio(one: number, other: number): string {
  const times = one / other;
  return `${times < 9.95 ? times.toFixed(times < 1.995 ? 2 : 1) : times.toFixed(0)}x`;
}
