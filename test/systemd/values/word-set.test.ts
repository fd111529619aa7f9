import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("RestrictAddressFamilies takes socket families such as AF_INET AF_UNIX, with a leading ~ for all others, or none", () => {
  assertAccepted("RestrictAddressFamilies", ["AF_INET AF_INET6", "~AF_PACKET", "none", "af_unix"]);
  assertRefused("RestrictAddressFamilies", {
    AF_INTE: '"AF_INTE" is no socket family; write e.g. AF_INET, AF_INET6 or AF_UNIX; did you mean "AF_INET"?',
    "AF_INET,AF_UNIX": '"AF_INET,AF_UNIX" is no socket family; families are separated by blanks',
    INET: '"INET" is no socket family; write e.g. AF_INET, AF_INET6 or AF_UNIX; did you mean "AF_INET"?',
  });
});

test("CapabilityBoundingSet takes capabilities such as CAP_NET_BIND_SERVICE, with a leading ~ for all others", () => {
  assertAccepted("CapabilityBoundingSet", ["CAP_NET_BIND_SERVICE CAP_CHOWN", "~CAP_SYS_ADMIN", "cap_kill"]);
  assertRefused("CapabilityBoundingSet", {
    CAP_NET_BIND:
      '"CAP_NET_BIND" is no capability; systemd ignores it without a word; did you mean "CAP_NET_BIND_SERVICE"?',
    NET_ADMIN: '"NET_ADMIN" is no capability; systemd ignores it without a word; did you mean "CAP_NET_ADMIN"?',
    "CAP_CHOWN,CAP_KILL":
      '"CAP_CHOWN,CAP_KILL" is no capability; systemd ignores it without a word; capabilities are separated by blanks',
    "CAP_KILL ~CAP_CHOWN":
      '"~CAP_CHOWN" is no capability; systemd ignores it without a word; a ~ stands once, at the beginning of the value',
  });
});

test("SystemCallFilter takes system calls and groups such as @system-service, with a leading ~ for all others", () => {
  assertAccepted("SystemCallFilter", ["@system-service read", "~@privileged mount:EPERM"]);
  assertRefused("SystemCallFilter", {
    "@system-services": '"@system-services" is no group of system calls; did you mean "@system-service"?',
    raed: '"raed" is no system call; did you mean "read"?',
    privileged: '"privileged" is no system call; did you mean "@privileged"?',
    "read,write": '"read,write" is no system call; they are separated by blanks',
    "read:EPERM": '"read:EPERM" names an error, which only calls that are refused can have (SystemCallFilter=~...)',
    "~read:EPREM": '"EPREM" is neither an error name such as EPERM nor a number from 1 to 4095; did you mean "EPERM"?',
    "@default ~mount": '"~mount" has a ~ that is not at the beginning of the value; write it there, once',
  });
});

test("RestrictNamespaces takes yes, no, or kinds of namespaces such as user net, with a leading ~ for all others", () => {
  assertAccepted("RestrictNamespaces", ["yes", "user net", "~user"]);
  assertRefused("RestrictNamespaces", {
    users: '"users" is not one of yes, no, cgroup, ipc, mnt, net, pid, time, user, uts; did you mean "user"?',
  });
});

test("Delegate takes yes, no, or control group controllers such as cpu memory", () => {
  assertAccepted("Delegate", ["yes", "cpu memory"]);
  assertRefused("Delegate", {
    "cpu foo":
      '"foo" is not one of cpu, cpuacct, cpuset, io, blkio, memory, devices, pids, bpf-firewall, bpf-devices, bpf-foreign, bpf-socket-bind, bpf-restrict-network-interfaces',
  });
});

test("DisableControllers takes control group controllers such as cpu memory io", () => {
  assertAccepted("DisableControllers", ["cpu memory"]);
  assertRefused("DisableControllers", {
    cpus: '"cpus" is not one of cpu, cpuacct, cpuset, io, blkio, memory, devices, pids, bpf-firewall, bpf-devices, bpf-foreign, bpf-socket-bind, bpf-restrict-network-interfaces; did you mean "cpu"?',
  });
});

test("SystemCallArchitectures takes architectures such as native or x86-64", () => {
  assertAccepted("SystemCallArchitectures", ["native", "x86-64 x86"]);
  assertRefused("SystemCallArchitectures", {
    amd64:
      '"amd64" is not one of native, x86, x86-64, x32, arm, arm64, loongarch64, mips, mips64, mips64-n32, mips-le, mips64-le, mips64-le-n32, parisc, parisc64, ppc, ppc64, ppc64-le, riscv64, s390, s390x',
  });
});

test("Personality takes an architecture such as x86-64", () => {
  assertAccepted("Personality", ["x86-64"]);
  assertRefused("Personality", {
    x86_64:
      '"x86_64" is not one of x86, x86-64, x32, arm, arm64, loongarch64, mips, mips64, mips64-n32, mips-le, mips64-le, mips64-le-n32, parisc, parisc64, ppc, ppc64, ppc64-le, riscv64, s390, s390x; did you mean "x86-64"?',
  });
});

test("SecureBits takes words such as keep-caps or noroot", () => {
  assertAccepted("SecureBits", ["noroot keep-caps"]);
  assertRefused("SecureBits", {
    "no-root":
      '"no-root" is not one of keep-caps, keep-caps-locked, no-setuid-fixup, no-setuid-fixup-locked, noroot, noroot-locked; did you mean "noroot"?',
  });
});

test("CoredumpFilter takes kinds of memory such as private-anonymous, default or all, or a hexadecimal mask", () => {
  assertAccepted("CoredumpFilter", ["default", "0x33", "private-anonymous elf-headers"]);
  assertRefused("CoredumpFilter", {
    everything:
      '"everything" is not one of private-anonymous, shared-anonymous, private-file-backed, shared-file-backed, elf-headers, private-huge, shared-huge, private-dax, shared-dax, all, default',
  });
});

test("RestrictFileSystems takes file system types or groups such as @basic-api, with a leading ~ for all others", () => {
  assertAccepted("RestrictFileSystems", ["ext4 @basic-api", "~tmpfs"]);
  assertRefused("RestrictFileSystems", {
    '"ext4': '"\\"ext4" cannot be split into words: a quote is never closed',
  });
});

test("SyslogFacility takes a syslog facility such as daemon", () => {
  assertAccepted("SyslogFacility", ["daemon", "local7", "3"]);
  assertRefused("SyslogFacility", {
    local8:
      '"local8" is not one of kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, authpriv, ftp, local0, local1, local2, local3, local4, local5, local6, local7; did you mean "local0"?',
  });
});

test("SyslogLevel takes a syslog level such as warning", () => {
  assertAccepted("SyslogLevel", ["info", "3"]);
  assertRefused("SyslogLevel", {
    "8": '"8" is not one of emerg, alert, crit, err, warning, notice, info, debug',
    warn: '"warn" is not one of emerg, alert, crit, err, warning, notice, info, debug; did you mean "warning"?',
  });
});

test("RestrictFileSystems takes file systems and known groups of them", () => {
  assertAccepted("RestrictFileSystems", ["@basic-api foofs", "~@common-block", "@known @network"]);
  assertAccepted("RestrictFileSystems", ["@nope"], 258);
  assertRefused("RestrictFileSystems", {
    "@nope": '"@nope" is no group of file systems',
    "ext4 @netwrk": '"@netwrk" is no group of file systems; did you mean "@network"?',
  });
});
