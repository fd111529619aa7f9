import { readFileSync } from "node:fs";

/** One process, as it is now. */
export interface ProcessMemory {
  /** Name of its program, as the kernel has it. */
  readonly program: string;
  /** What of it is in memory. */
  readonly bytes: number;
}

/** A process and all that it started, as they are now. One that has ended is not among them. */
export function processMemories(pid: number): ProcessMemory[] {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    const program = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    return [{ program, bytes: pages * 4096 }, ...children.flatMap(processMemories)];
  } catch {
    return [];
  }
}
