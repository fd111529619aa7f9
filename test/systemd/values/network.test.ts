import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("IPAddressAllow takes addresses such as 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast", () => {
  assertAccepted("IPAddressAllow", ["10.0.0.0/8 ::1", "any", "localhost link-local"]);
  assertRefused("IPAddressAllow", {
    "10.0.0": '"10.0.0" is no address; write e.g. 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast',
    "10.0.0.0/33":
      '"10.0.0.0/33" is no address; write e.g. 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast',
    "10.0.0.1,::1":
      '"10.0.0.1,::1" is no address; write e.g. 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast; they are separated by blanks',
    "example.org":
      '"example.org" is no address; write e.g. 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast',
  });
});

test("BindToDevice takes the name of a network interface", () => {
  assertAccepted("BindToDevice", ["eth0"]);
  assertRefused("BindToDevice", {
    "a-very-long-interface":
      '"a-very-long-interface" is no name of a network interface; write 1 to 15 characters such as eth0',
  });
});

test("RestrictNetworkInterfaces takes names of network interfaces, with a leading ~ for all others", () => {
  assertAccepted("RestrictNetworkInterfaces", ["lo eth0", "~eth0"]);
  assertRefused("RestrictNetworkInterfaces", {
    "eth/0": '"eth/0" is no name of a network interface; write 1 to 15 characters such as eth0',
  });
});

test("SocketBindAllow takes any, or [ipv4:|ipv6:][tcp:|udp:][ports]", () => {
  assertAccepted("SocketBindAllow", ["any", "tcp:8000-8010", "ipv4:udp:53", "443"]);
  assertRefused("SocketBindAllow", {
    http: '"http" is not what may be bound; write any, or [ipv4:|ipv6:][tcp:|udp:] and a port or range from 1 to 65535, as in "tcp:8000-8010"',
    "90-80":
      '"90-80" is not what may be bound; write any, or [ipv4:|ipv6:][tcp:|udp:] and a port or range from 1 to 65535, as in "tcp:8000-8010"',
  });
});

test("ListenNetlink takes a netlink family and optionally a multicast group, such as kobject-uevent 1", () => {
  assertAccepted("ListenNetlink", ["kobject-uevent 1", "route"]);
  assertRefused("ListenNetlink", {
    "kobject 1":
      '"kobject" is not one of route, firewall, inet-diag, nflog, xfrm, selinux, iscsi, audit, fib-lookup, connector, netfilter, ip6-fw, dnrtmsg, kobject-uevent, generic, scsitransport, ecryptfs, rdma; did you mean "kobject-uevent"?',
    "route x": '"route x" is no netlink address; write a family and a group number, as in "kobject-uevent 1"',
  });
});

test("NFTSet takes words of the form cgroup:inet:table:set", () => {
  assertAccepted("NFTSet", ["cgroup:inet:filter:api"]);
  assertRefused("NFTSet", {
    "inet:filter:api":
      '"inet:filter:api" is no firewall set; write cgroup, user or group, then the family, table and set, as in "cgroup:inet:filter:api"',
  });
});

test("port 0 may be bound from a newer systemd on", () => {
  assertAccepted("SocketBindDeny", ["0", "0-80"]);
  assertRefused(
    "SocketBindDeny",
    {
      "0": '"0" is not what may be bound; write any, or [ipv4:|ipv6:][tcp:|udp:] and a port or range from 1 to 65535, as in "tcp:8000-8010"',
    },
    252,
  );
});

test("ListenNetlink takes numbers of families and groups that the kernel can have", () => {
  assertAccepted("ListenNetlink", ["5", "0", "9999", "0x5", "route 0", "route 4294967295", "route %i"]);
  assertRefused("ListenNetlink", {
    "-5": '"-5" is out of range; write 0 to 2147483647',
    "2147483648": '"2147483648" is out of range; write 0 to 2147483647',
    "route -5": '"route -5" is no netlink address; write a family and a group number, as in "kobject-uevent 1"',
    "route 4294967296":
      '"route 4294967296" is no netlink address; write a family and a group number, as in "kobject-uevent 1"',
  });
});

test("RestrictNetworkInterfaces takes no specifiers", () => {
  assertRefused("RestrictNetworkInterfaces", {
    "%k": '"%k" is no name of a network interface; write 1 to 15 characters such as eth0',
    "%i": '"%i" is no name of a network interface; write 1 to 15 characters such as eth0',
  });
  assertAccepted("BindToDevice", ["%i"]);
});
