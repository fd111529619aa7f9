import { cell, type Results, secondsText, sizesOf } from "./results.ts";
import { operationTitles, sizeTitle } from "./table.ts";
import { operations } from "./workload.ts";

const rowHeight = 13;
const left = 96;
const panel = { width: 292, plot: 226 };
const style = `
    svg { --paper: #ffffff; --ink: #1d2733; --soft: #5b6775; --grid: #e1e6ec; --axis: #b9c2cc;
      --product: #0b62d6; --product-unwatched: #7aa7e8; --floor: #6f7a86; --pulumi-empty: #a5aeb8; --pyinfra: #12846f; --remote-commands: #b4690e; --ansible: #b8323a; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #0f141a; --ink: #e6ebf0; --soft: #9aa6b2; --grid: #232b34; --axis: #465260;
        --product: #5ba2ff; --product-unwatched: #3a6cae; --floor: #98a4b0; --pulumi-empty: #687480; --pyinfra: #3fc2a8; --remote-commands: #e5a04a; --ansible: #f0727a; }
    }
    text { fill: var(--ink); font-size: 12px; }
    .title { font-size: 17px; font-weight: 600; }
    .head { font-size: 13.5px; font-weight: 600; }
    .soft { fill: var(--soft); }
    .value { font-size: 11px; fill: var(--soft); }
    .own { font-weight: 700; fill: var(--product); }
    .grid { stroke: var(--grid); }
    .axis { stroke: var(--axis); }`;

/** The medians as one picture: seconds on a logarithmic scale, a column for each size, light or dark as the reader's page. */
export function plotText(results: Results): string {
  const sizes = sizesOf(results);
  const { contenders } = results;
  const top = 66 + Math.ceil(contenders.length / 3) * 19;
  const block = contenders.length * rowHeight + 14;
  const height = top + operations.length * block + 46;
  const width = Math.max(left + sizes.length * panel.width + 16, 960);
  const all = results.measured.map(({ seconds }) => seconds);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const at = (seconds: number) => ((Math.log10(seconds) - first) / (last - first)) * panel.plot;
  const parts: string[] = [];

  contenders.forEach(({ id, title }, index) => {
    const x = 20 + (index % 3) * 300;
    const y = 54 + Math.floor(index / 3) * 19;
    parts.push(
      `<circle cx="${x}" cy="${y - 4}" r="5" fill="var(--${id})"/>`,
      `<text x="${x + 12}" y="${y}"${id === "product" ? ' class="own"' : ""}>${escaped(title)}</text>`,
    );
  });

  operations.forEach((operation, row) => {
    const middle = top + row * block + (contenders.length * rowHeight) / 2;
    const words = operationTitles[operation].replace("directive ", "directive\n").split("\n");
    words.forEach((word, line) => {
      parts.push(`<text x="16" y="${middle + 4 + (line - (words.length - 1) / 2) * 15}">${word}</text>`);
    });
  });

  sizes.forEach((size, column) => {
    const x0 = left + column * panel.width + 8;
    const bottom = top + operations.length * block - 8;
    parts.push(`<text class="head" x="${x0}" y="${top - 8}">${sizeTitle(size)}</text>`);
    for (let power = first; power <= last; power++) {
      const x = round(x0 + at(10 ** power));
      parts.push(`<line class="${power === first ? "axis" : "grid"}" x1="${x}" y1="${top}" x2="${x}" y2="${bottom}"/>`);
      parts.push(
        `<text class="value" x="${x}" y="${bottom + 16}" text-anchor="middle">${Number(10 ** power).toString()} s</text>`,
      );
    }
    operations.forEach((operation, row) => {
      contenders.forEach(({ id }, index) => {
        const found = cell(results, size, id, operation);
        if (found === undefined) return;
        const y = top + row * block + index * rowHeight + 8;
        const x = round(x0 + at(found.median));
        const [from, to] = [round(x0 + at(found.min)), round(x0 + at(found.max))];
        const own = id === "product";
        parts.push(
          `<line x1="${x0}" y1="${y}" x2="${x}" y2="${y}" stroke="var(--${id})" stroke-width="${own ? 3 : 1.5}"/>`,
          ...(from === to
            ? []
            : [
                `<line x1="${from}" y1="${y}" x2="${to}" y2="${y}" stroke="var(--${id})" stroke-width="5" opacity=".35"/>`,
              ]),
          `<circle cx="${x}" cy="${y}" r="${own ? 5 : 4}" fill="var(--${id})"/>`,
          `<text class="value${own ? " own" : ""}" x="${Math.max(x, to) + 9}" y="${y + 4}">${secondsText(found.median)}</text>`,
        );
      });
    });
  });

  const foot = `Median of each; the pale bar is the spread over its runs. Logarithmic scale: each grid line is ten times the one before.`;
  parts.push(`<text class="soft" x="16" y="${height - 12}">${foot}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" role="img" aria-label="Seconds for each operation, by tool and size">`,
    `  <style>${style}\n  </style>`,
    `  <rect width="${width}" height="${height}" fill="var(--paper)"/>`,
    `  <text class="title" x="16" y="28">Seconds to deploy the same services to the same hosts</text>`,
    ...parts.map((part) => `  ${part}`),
    `</svg>`,
    "",
  ].join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
