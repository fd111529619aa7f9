import { nearestOf } from "../nearest.ts";
import { specifiersIn } from "../specifiers.ts";
import { isUnitType, unitNameProblem, unitTypes } from "../unit-name.ts";
import { firstWordProblem, received, type ValueCheck } from "./value-check.ts";

/** Why a value is no unit name, or not one of the type that the directive wants. */
export const unitReferenceProblem: ValueCheck = (value, directive) => oneProblem(value, directive.suffix);

/** Why a value is no list of unit names. */
export const unitReferencesProblem: ValueCheck = (value, directive) =>
  firstWordProblem(value, (word) => oneProblem(word, directive.suffix));

/** Letters of the specifiers that systemd expands in names of units; elsewhere it knows more. */
const unitNameSpecifiers = "nNpijabABglmMoquvwWGHU";

function oneProblem(name: string, suffix: string | undefined): string | undefined {
  const unexpanded = specifiersIn(name).find((specifier) => !unitNameSpecifiers.includes(specifier.slice(1)));
  if (unexpanded !== undefined) {
    const instead = unexpanded === "%I" ? "; write %i, the instance as it stands in the name" : "";
    return `${received(name)} holds ${unexpanded}, which systemd does not expand in names of units${instead}`;
  }
  if (suffix !== undefined && !name.endsWith(suffix) && !/%[A-Za-z]$/.test(name)) {
    const plain = /^[A-Za-z0-9:_\\@-]+$/.test(name) ? `; did you mean "${name}${suffix}"?` : "";
    return `${received(name)} does not end in ${suffix}${plain}`;
  }
  if (specifiersIn(name).length > 0) return undefined;
  const problem = unitNameProblem(name);
  return problem === undefined ? undefined : `${problem}${hint(name)}`;
}

function hint(name: string): string {
  if (name.includes(",")) return "; units are separated by blanks";
  if (/^[A-Za-z0-9:_\\@-]+$/.test(name)) return `; did you mean "${name}.service"?`;
  const type = name.slice(name.lastIndexOf(".") + 1);
  if (isUnitType(type)) return "";
  const nearest = nearestOf(type, unitTypes);
  return nearest === undefined ? "" : `; did you mean "${name.slice(0, name.lastIndexOf(".") + 1)}${nearest}"?`;
}
