// Loaded by Node before a stack's program (`nodeargs` of Pulumi.yaml): what V8 compiled of `@pulumi/pulumi` and of this
// repository is kept for the next run. In the user's own cache, as others may write to /tmp. Where it cannot be written,
// nothing is kept and nothing fails.
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";

enableCompileCache(join(cacheFolder(), "node"));
