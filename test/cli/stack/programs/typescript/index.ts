import * as pulumi from "@pulumi/pulumi";
import { Host, Service, Timer, Unit } from "../../../../../components/index.ts";

/** A program of a user's own: one host whose parts are all known, one on a machine that is made in the same update. */
class Machine extends pulumi.CustomResource {
  declare readonly address: pulumi.Output<string>;
  constructor(name: string) {
    super("cloud:index:Machine", name, { size: "small", address: undefined });
  }
}

const config = new pulumi.Config();
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const api = new Service("api", {
  exec: ["/usr/bin/api", config.require("zone"), config.require("day")],
  secretEnvironment: { API_KEY: config.requireSecret("apiKey") },
});
const nightly = new Timer("nightly", {
  onCalendar: "*-*-* 03:00:00",
  service: { exec: ["/usr/bin/report"] },
});
const shared = new pulumi.StackReference("network");
const late = new Unit("late.service", {
  Service: { ExecStart: [pulumi.interpolate`/usr/bin/late ${shared.getOutput("gateway")}`] },
});
const machine = new Machine("box");

new Host("web2", { connection: { host: machine.address, hostKey: key, privateKey: "k" }, units: [api, late] });
new Host("web1", { connection: { host: "192.0.2.7", hostKey: key, privateKey: "k" }, units: [nightly, api] });
pulumi.runtime.invokeOutput("cloud:index:getZones", {}).apply(() => {
  throw new Error("an unknown value was made known");
});
