import * as pulumi from "@pulumi/pulumi";

/** A program that needs a compiler: parameter properties and `export =`. */
class Thing extends pulumi.ComponentResource {
  constructor(
    name: string,
    public size: number,
  ) {
    super("systemd:index:Thing", name, { size });
  }
}

export = async () => {
  new Thing("one", await Promise.resolve(1));
};
