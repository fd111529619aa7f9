import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "../../activation/bundle.ts";
import { bundle, unit } from "../faults/bundles.ts";

/** One state of a few services, with or without sockets of their own. */
export interface SocketState {
  readonly title: string;
  readonly bundle: Bundle;
  /** Who answers, by port; the others refuse. */
  readonly answers: Readonly<Record<number, string>>;
  /** Sockets that the change to this state leaves open: clients of them notice nothing. */
  readonly staysOpen: readonly string[];
}

export const ports = [9001, 9002] as const;
const program = "/opt/answering/answering.py";
const scope = "sockets/test/host";

const files = [
  {
    path: program,
    mode: "0644",
    content: readFileSync(join(import.meta.dirname, "programs", "answering.py"), "utf8"),
    secret: false,
  },
];

/** A service that answers with its name: on its socket, or on a port of its own. */
function service(name: string, own: number | undefined) {
  const text = `[Service]\nType=notify\nExecStart=/usr/bin/python3 ${program} ${name}${own === undefined ? "" : ` ${own}`}\n`;
  return unit(`${name}.service`, `${text}[Install]\nWantedBy=multi-user.target\n`);
}

function socket(name: string, port: number, of: string) {
  const text = `[Socket]\nListenStream=${port}\nBacklog=1024\nService=${of}.service\n[Install]\nWantedBy=sockets.target\n`;
  return unit(`${name}.socket`, text);
}

/** From state to state: every way in which services and sockets can come together and part. */
export const socketStates: readonly SocketState[] = [
  {
    title: "a service with a port of its own",
    bundle: bundle(scope, { files, units: [service("one", 9001)] }),
    answers: { 9001: "one" },
    staysOpen: [],
  },
  {
    title: "it gains a socket for the same port",
    bundle: bundle(scope, { files, units: [service("one", undefined), socket("front", 9001, "one")] }),
    answers: { 9001: "one" },
    staysOpen: [],
  },
  {
    title: "another service comes with its socket",
    bundle: bundle(scope, {
      files,
      units: [
        ...[service("one", undefined), socket("front", 9001, "one")],
        ...[service("two", undefined), socket("back", 9002, "two")],
      ],
    }),
    answers: { 9001: "one", 9002: "two" },
    staysOpen: ["front.socket"],
  },
  {
    title: "the two sockets swap their addresses",
    bundle: bundle(scope, {
      files,
      units: [
        ...[service("one", undefined), socket("front", 9002, "one")],
        ...[service("two", undefined), socket("back", 9001, "two")],
      ],
    }),
    answers: { 9001: "two", 9002: "one" },
    staysOpen: [],
  },
  {
    title: "a socket is handed over to a new service, and its old one goes",
    bundle: bundle(scope, {
      files,
      units: [
        ...[service("three", undefined), socket("front", 9002, "three")],
        ...[service("two", undefined), socket("back", 9001, "two")],
      ],
    }),
    answers: { 9001: "two", 9002: "three" },
    staysOpen: ["front.socket", "back.socket"],
  },
  {
    title: "a service loses its socket and listens by itself",
    bundle: bundle(scope, {
      files,
      units: [service("three", undefined), socket("front", 9002, "three"), service("two", 9001)],
    }),
    answers: { 9001: "two", 9002: "three" },
    staysOpen: ["front.socket"],
  },
  {
    title: "a socket goes with its service, and its address goes to another one",
    bundle: bundle(scope, { files, units: [service("two", undefined), socket("back", 9002, "two")] }),
    answers: { 9002: "two" },
    staysOpen: [],
  },
];
