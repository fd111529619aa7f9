import { load } from "./load.js";

load("bin/policies/components.cjs", "./pack.ts");
