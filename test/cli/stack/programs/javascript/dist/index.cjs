const pulumi = require("@pulumi/pulumi");
new pulumi.ComponentResource("systemd:index:Thing", `of-${pulumi.getOrganization()}`, { limit: Error.stackTraceLimit });
