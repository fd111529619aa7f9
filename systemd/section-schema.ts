import { z } from "zod";
import type { SectionDirectives } from "./sections.ts";
import { sectionProblems, type ValidationOptions } from "./validate.ts";

const scalar = z.union([z.string(), z.number(), z.boolean()], { error: "expected text, a number or a boolean" });
const value = z.union([scalar, z.array(scalar)], { error: "expected text, a number, a boolean, or a list of these" });

/**
 * A zod schema of one section by exact directive names: an unknown name or a bad value is an issue at the directive's
 * path with the message of `unitProblems`. Warnings are no issues. The parsed value is the given one.
 * @param section Name of a section such as `Service`.
 */
export function sectionSchema(section: string, options: ValidationOptions = {}): z.ZodType<SectionDirectives> {
  const unitName = `x.${section === "Unit" || section === "Install" ? "service" : section.toLowerCase()}`;
  return z.record(z.string(), value.optional()).superRefine((directives, context) => {
    for (const problem of sectionProblems(unitName, section, directives, options)) {
      if (problem.severity === "warning") continue;
      context.addIssue({ code: "custom", path: [problem.directive ?? ""], message: problem.message });
    }
  });
}
