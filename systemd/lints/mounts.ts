import { escapedPath } from "../unit-name.ts";
import type { Lint, LintHit } from "./lint.ts";
import { ownSectionIndex, settingOf } from "./linted-unit.ts";

/** Units whose name says what they are for. */
export const mountLints: readonly Lint[] = [
  {
    id: "mount-name",
    severity: "error",
    why: "The name of a mount, automount or swap unit is the escaped path; systemd does not load one whose name says otherwise.",
    fix: "Rename the file as `systemd-escape --path --suffix=mount PATH` says, or change the path.",
    hits: (unit): LintHit[] => {
      const key = { mount: "Mount.Where", automount: "Automount.Where", swap: "Swap.What" }[unit.type];
      const at = key === undefined ? undefined : settingOf(unit, key);
      if (at === undefined || !at.value.startsWith("/") || at.value.includes("%") || at.value.includes("..")) return [];
      const name = `${escapedPath(at.value)}.${unit.type}`;
      return name === unit.name
        ? []
        : [{ at, message: `${at.key}=${at.value} belongs in ${name}, not in ${unit.name}` }];
    },
  },
  {
    id: "mount-without-what",
    severity: "error",
    why: "systemd does not load a mount unit that says not what to mount.",
    fix: "Write What= with a device, or with a word such as tmpfs.",
    hits: (unit) =>
      unit.type === "mount" && unit.file.sections.length > 0 && settingOf(unit, "Mount.What") === undefined
        ? [
            {
              sectionIndex: ownSectionIndex(unit),
              message: "there is no What=",
            },
          ]
        : [],
  },
];
