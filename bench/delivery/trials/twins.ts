import assert from "node:assert/strict";
import { type DeliveryBench, held } from "../delivery-bench.ts";

/** Two services with one lock. */
export async function twinsTrial(bench: DeliveryBench): Promise<void> {
  const { host, quotes } = bench;
  const twin = { ...quotes, exec: ["uvicorn", "main:app", "--port", "8002"] };
  const both = await bench.good({ quotes, twin });
  assert.equal(await host.output("find /opt/quotes /opt/twin -type f -links +1 | head -3"), "");
  held("two services with one lock", "they share no file", both);
  const invocation = await host.output("systemctl show -p InvocationID quotes.service");
  const one = await bench.good({ quotes });
  assert.equal(await host.output("systemctl show -p InvocationID quotes.service"), invocation);
  await bench.answers();
  held("one of them goes", "the other did not notice", one);
}
