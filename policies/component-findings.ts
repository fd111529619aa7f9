import type { CheckedResource } from "./checked-resource.ts";
import { type ObservedStack, observe } from "./observed-stack.ts";
import type { Rule, RuleConfig, RuleFinding } from "./rule.ts";
import { checkedHost } from "./sent-units.ts";

export const unitType = "systemd:index:Unit";

/** What a rule finds in one resource of a program with components of this package, after those that came before it. */
export function componentFindings(
  { unit, host, resource: other, onlyRegistered = false }: Rule,
  config: RuleConfig,
  resource: CheckedResource,
  stack: ObservedStack,
): readonly RuleFinding[] {
  const registered = observe(stack, resource);
  const found: RuleFinding[] = [];
  if (unit !== undefined && registered !== undefined) found.push(...unit(registered, config));
  const checked = checkedHost(resource, stack);
  if (checked !== undefined) {
    if (unit !== undefined && !onlyRegistered) {
      // Such as what is left out for an older systemd, or what a transform has changed.
      const changed = checked.units.filter(({ isChanged }) => isChanged === true);
      for (const sent of changed) found.push(...unit(sent, config).map((finding) => ({ about: sent, ...finding })));
    }
    if (host !== undefined) found.push(...host(checked, config));
  }
  if (other !== undefined) found.push(...other(resource, config, stack));
  return found;
}
