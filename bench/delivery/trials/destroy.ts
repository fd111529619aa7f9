import assert from "node:assert/strict";
import { type Listing, listing, listingChanges } from "../../../test/hosts/listing.ts";
import { type DeliveryBench, held } from "../delivery-bench.ts";

/** Everything goes, with the data of what says `purge`. */
export async function destroyTrial(bench: DeliveryBench, before: Listing): Promise<void> {
  const { host, quotes } = bench;
  const stateful = { ...quotes, user: "quotes", createUser: true, service: { StateDirectory: "quotes more" } };
  await bench.good({
    quotes: { ...stateful, purge: true },
    kept: {
      ...stateful,
      user: "kept",
      exec: ["uvicorn", "main:app", "--port", "8003"],
      service: { StateDirectory: "kept" },
    },
  });
  await host.output("touch /var/lib/quotes/data /var/lib/more/data /var/lib/kept/data");
  const started = Date.now();
  const destroyed = await bench.stack.destroy();
  assert.equal(destroyed.code, 0, destroyed.output);
  assert.equal(await host.output("ls /var/lib/kept"), "data\n");
  const data = /^\S+ \/var\/(lib\/(private\/)?(ticker|greeter|twin|kept|big)|log)(\/|$)/;
  assert.deepEqual(
    listingChanges(before, await listing(host)).filter((line) => !data.test(line)),
    [],
  );
  held(
    "`pulumi destroy`",
    "no release, environment, user, unit or secret is left; data only of the service without `purge`",
    { seconds: (Date.now() - started) / 1000 },
  );
}
