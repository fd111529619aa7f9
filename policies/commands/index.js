import { load } from "../load.js";

load("bin/policies/commands.cjs", "./commands/pack.ts");
