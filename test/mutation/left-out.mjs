// A plugin of StrykerJS, which loads it by its path: what of a policy is prose is left as it is. Titles, descriptions, tags, ways
// to mend and controls of a framework decide nothing; to assert them would be to write them twice. Messages of findings are
// no prose.
const prose = new Set(["displayName", "description", "remediationSteps", "tags"]);

/** Why a node of the syntax tree, with all below it, is not mutated; undefined where it is. */
function leftOut({ node }) {
  if (node.type === "ObjectProperty" && prose.has(node.key.name)) return "prose of a policy";
  if (node.type === "ObjectExpression" && node.properties.some(({ key }) => key?.name === "specification"))
    return "control of a framework";
  return undefined;
}

/** `describe("...")` of a schema wraps all that stands before it: only the text is left out. */
function isDescription({ node, parent }) {
  return (
    parent?.type === "CallExpression" && parent.callee.property?.name === "describe" && parent.arguments.includes(node)
  );
}

export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "prose",
    value: { shouldIgnore: (path) => (isDescription(path) ? "prose of a policy" : leftOut(path)) },
  },
];
