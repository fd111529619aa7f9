import { Service } from "../../../../../components/index.ts";

new Service("good", { exec: ["/bin/true"] });
new Service("bad", { exec: ["/bin/true"], watchdogSec: "90x" });
