/** Writes controllersrules.ts, after a change of what the controllers write: node processes/writerules.ts */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveOwnModules } from "./resolve.ts";

resolveOwnModules();
const { rulesOfControllers } = await import("./rulesofclaims.ts");
const list = (texts: readonly string[] | null | undefined) =>
  `[${(texts ?? []).map((text) => JSON.stringify(text)).join(", ")}]`;
const lines = rulesOfControllers().map(
  ({ verbs, apiGroups, resources }) =>
    `  { verbs: ${list(verbs)}, apiGroups: ${list(apiGroups)}, resources: ${list(resources)} },`,
);
const text = `/** What the controllers' account may do. Made by writerules.ts from what the controllers declare; not edited by hand. */
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";

// biome-ignore format: a rule a line
export const controllersRules: readonly PolicyRule[] = [
${lines.join("\n")}
];
`;
await writeFile(join(import.meta.dirname, "controllersrules.ts"), text);
