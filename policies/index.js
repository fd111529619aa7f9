// Pulumi compiles and type-checks a pack whose main file is TypeScript at each preview (seconds). Behind this file, Node
// runs the TypeScript as it is (type stripping).
import "./pack.ts";
