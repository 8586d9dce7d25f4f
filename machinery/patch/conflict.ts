/**
 * Apply conflicts as clients are told of them.
 * Source: k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go
 */
import { StatusError } from "../status.ts";
import { Conflicts } from "./apply.ts";
import { compareText } from "./element.ts";
import { type FieldSet, difference, pathsOf, spellPath } from "./fieldset.ts";
import type { Manager } from "./managers.ts";
import { isEmpty } from "./plain.ts";

/** 409 with a cause for each field. */
export function conflictError(conflicts: Conflicts): StatusError {
  const all = [...conflicts.byManager]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, { manager, fields }]) => ({ who: spellManager(manager), paths: pathsOf(fields).map(spellPath) }));
  const causes = all.flatMap(({ who, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${who}`, field })),
  );
  const [first] = causes;
  const lines = all.flatMap(({ who, paths }) => [`conflicts with ${who}:`, ...paths.map((path) => `- ${path}`)]);
  const what =
    causes.length === 1
      ? `1 conflict: ${first?.message}: ${first?.field}`
      : `${causes.length} conflicts: ${lines.join("\n")}`;
  return new StatusError("Conflict", `Apply failed with ${what}`, { details: { causes } });
}

function spellManager({ name, operation, apiVersion, subresource }: Manager): string {
  const who =
    subresource === ""
      ? JSON.stringify(name)
      : `${JSON.stringify(name)} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${who} using ${apiVersion}` : who;
}

/**
 * Conflicts without those at some fields.
 * @returns undefined when none are left
 */
export function conflictsBut(conflicts: Conflicts, allowed: FieldSet): Conflicts | undefined {
  const left = new Map<string, { manager: Manager; fields: FieldSet }>();
  for (const [id, { manager, fields }] of conflicts.byManager) {
    const rest = difference(fields, allowed);
    if (!isEmpty(rest)) left.set(id, { manager, fields: rest });
  }
  return left.size === 0 ? undefined : new Conflicts(left);
}
