// Nothing: what Pulumi itself takes is measured by it.
export {};
