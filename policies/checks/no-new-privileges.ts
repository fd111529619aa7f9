import type { UnitModel } from "../../systemd/sections.ts";
import type { Finding } from "./finding.ts";
import { isOn, isRefused, shown, valueInForce } from "./service-directives.ts";

/**
 * A service whose processes can gain rights through setuid programs. `DynamicUser=yes` implies `NoNewPrivileges=yes`
 * (systemd.exec(5)), so a unit with it passes unless it says the opposite. What seccomp directives imply is not counted:
 * it depends on the version of systemd.
 */
export function noNewPrivilegesFindings(unit: UnitModel): readonly Finding[] {
  if (isOn(unit, "NoNewPrivileges")) return [];
  const found = shown("NoNewPrivileges", valueInForce(unit, "NoNewPrivileges"));
  if (isOn(unit, "DynamicUser")) {
    if (!isRefused(unit, "NoNewPrivileges")) return [];
    const why = "DynamicUser=yes overrides it, but privileges could be gained as soon as that line goes";
    return [{ found, wanted: "yes", why }];
  }
  return [{ found, wanted: "yes", why: "its processes could gain privileges through setuid programs such as sudo" }];
}
