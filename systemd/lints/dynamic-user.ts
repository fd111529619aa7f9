import type { Lint, LintHit } from "./lint.ts";
import { isOff, isOn, type LintedUnit, listWordsOf, quoted, settingOf } from "./linted-unit.ts";
import { isService } from "./service-type.ts";
import { templateOf } from "./unit-set.ts";

/** Accounts that Debian, Ubuntu and Red Hat have on every host, with systemd's own. */
const accounts = new Set(
  (
    "root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody adm shutdown halt " +
    "operator ftp sshd dbus messagebus systemd-network systemd-resolve systemd-timesync systemd-coredump"
  ).split(" "),
);

/** Groups that are no accounts there. */
const groups = new Set(
  (
    "tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip src shadow utmp video sasl plugdev staff users nogroup " +
    "input kvm render sgx crontab netdev wheel mem lock systemd-journal"
  ).split(" "),
);

/** Directories that systemd gives to the user of a service at each start, with everything in them. */
const ownedDirectories = ["StateDirectory", "CacheDirectory", "LogsDirectory"] as const;

/** What a dynamic user brings along, whatever is written. Measured on systemd 247, 252 and 257. */
const implied = {
  ProtectSystem: "strict",
  ProtectHome: "read-only",
  PrivateTmp: "yes",
  NoNewPrivileges: "yes",
  RestrictSUIDSGID: "yes",
  RemoveIPC: "yes",
} as const;

/** What `DynamicUser=` does not do, and what it does unasked. Follows systemd.exec(5). */
export const dynamicUserLints: readonly Lint[] = [
  {
    id: "dynamic-user-name-taken",
    severity: "warning",
    why: "A dynamic user has the name in User=, else that of the unit; where the host has that account, it is used and none is made.",
    fix: "Give the unit another name, or write User= with a name that no account or group of the host has.",
    hits: (unit) => {
      if (!isDynamic(unit)) return [];
      const user = settingOf(unit, "Service.User");
      const name = user?.value ?? unit.prefix;
      const at = user ?? settingOf(unit, "Service.DynamicUser");
      if (at === undefined) return [];
      const shown = user === undefined ? `${unit.name} with DynamicUser=yes` : quoted(user);
      if (accounts.has(name)) {
        return [{ at, message: `${shown} runs as ${name}, an account that hosts have: DynamicUser=yes makes none` }];
      }
      if (!groups.has(name)) return [];
      const message = `${shown} does not start where ${name} is a group and no account, as hosts have it`;
      return [{ at, severity: "error", message }];
    },
  },
  {
    id: "dynamic-user-shared-directory",
    severity: "warning",
    across: true,
    why: "At each start the directory goes to the user of that service with all that is in it; who had it before cannot write any more.",
    fix: "Write the same User=NAME for all services that share the directory, beside DynamicUser=yes, or give each its own.",
    hits: (unit, set) => {
      if (!isDynamic(unit)) return [];
      const others = set.units.filter((other) => other !== unit && isService(other) && !isSameUser(unit, other));
      return ownedDirectories.flatMap((key) =>
        listWordsOf(unit, `Service.${key}`).flatMap(({ word, at }): LintHit[] => {
          const path = directoryName(unit, word);
          const other = others.find((each) =>
            listWordsOf(each, `Service.${key}`).some((theirs) => directoryName(each, theirs.word) === path),
          );
          if (other === undefined || path.includes("%")) return [];
          return [
            { at, message: `${key}=${path} is that of ${other.name} too, which runs as ${userOf(other) ?? "root"}` },
          ];
        }),
      );
    },
  },
  {
    id: "dynamic-user-stays-on",
    severity: "warning",
    why: "DynamicUser=yes implies part of the sandbox, and what it implies cannot be switched off.",
    fix: "Leave the line out, or write a fixed User= and DynamicUser=no.",
    hits: (unit) => {
      if (!isDynamic(unit)) return [];
      return Object.entries(implied).flatMap(([key, value]): LintHit[] => {
        const at = settingOf(unit, `Service.${key}`);
        if (at === undefined || !isOff(unit, `Service.${key}`)) return [];
        return [{ at, message: `${quoted(at)} has no effect: with DynamicUser=yes it is ${value}` }];
      });
    },
  },
];

function isDynamic(unit: LintedUnit): boolean {
  return isService(unit) && isOn(unit, "Service.DynamicUser");
}

/** Name of the account that runs a service; undefined for root. */
function userOf(unit: LintedUnit): string | undefined {
  return settingOf(unit, "Service.User")?.value ?? (isDynamic(unit) ? unit.prefix : undefined);
}

/** Also the instances of one template, which are one user. */
function isSameUser(unit: LintedUnit, other: LintedUnit): boolean {
  return (
    userOf(unit) === userOf(other) || (templateOf(unit.name) ?? unit.name) === (templateOf(other.name) ?? other.name)
  );
}

function directoryName(unit: LintedUnit, word: string): string {
  const [path = ""] = word.split(":");
  return path.replaceAll("%p", unit.prefix).replaceAll("%N", unit.name.slice(0, unit.name.lastIndexOf(".")));
}
