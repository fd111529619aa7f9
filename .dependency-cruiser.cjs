// The borders of the rooms (docs/architecture.md). Data flows one way: config, components, systemd, activation, host.
const rooms = [
  "systemd",
  "activation",
  "components",
  "policies",
  "cli",
  "program",
  "sandbox",
  "setup",
  "demo",
  "test",
  "bench",
  "examples",
];
const may = {
  systemd: [],
  activation: ["systemd"],
  components: ["systemd", "activation"],
  policies: ["systemd"],
  cli: ["systemd", "activation"],
  program: ["components", "sandbox"],
  setup: [],
  sandbox: ["setup"],
  demo: ["setup", "sandbox"],
};
/** Single files of other rooms that a room may import besides. */
const entries = { cli: ["policies/stack-verdicts.ts"] };
module.exports = {
  forbidden: [
    ...Object.entries(may).map(([room, allowed]) => ({
      name: `border-${room}`,
      comment: `${room}/ may import only itself${[...allowed, ...(entries[room] ?? [])].map((other) => `, ${other}`).join("")} of ours`,
      severity: "error",
      from: { path: `^${room}/` },
      to: {
        path: `^(index\\.ts$|(${rooms.filter((other) => other !== room && !allowed.includes(other)).join("|")})/)`,
        pathNot: (entries[room] ?? []).map((file) => `^${file.replaceAll(".", "\\.")}$`),
      },
    })),
    {
      name: "systemd-is-pure",
      comment: "systemd/ has no Pulumi and no I/O: text in, text out",
      severity: "error",
      from: { path: "^systemd/", pathNot: "^systemd/(data|generate)/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "systemd-has-no-pulumi",
      severity: "error",
      from: { path: "^systemd/" },
      to: { path: "node_modules/@pulumi/" },
    },
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "tests-are-not-imported",
      severity: "error",
      from: { pathNot: "^(test|bench)/" },
      to: { path: "^(test|bench)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules|^bin/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js", ".json"] },
  },
};
