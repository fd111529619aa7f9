import { styleFor, type Terminal } from "../../cli/terminal.ts";

/** A terminal without colour that keeps what was written to it. */
export interface RecordingTerminal extends Terminal {
  readonly printed: readonly string[];
  readonly complaints: readonly string[];
}

/** @param colours Whether it says that a person is looking. */
export function recordingTerminal({ colours = false } = {}): RecordingTerminal {
  const printed: string[] = [];
  const complaints: string[] = [];
  return {
    printed,
    complaints,
    print: (...lines) => void printed.push(...lines),
    complain: (...lines) => void complaints.push(...lines),
    style: styleFor(colours, {}),
  };
}

/** The JSON that was printed, and nothing else. */
export function printedJson({ printed }: RecordingTerminal): unknown {
  return JSON.parse(printed.join("\n"));
}
