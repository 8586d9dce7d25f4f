/** YAML as kubectl users expect to read it. */
import { stringify } from "yaml";

/** One document, keys in the value's order, long strings never folded. */
export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, version: "1.1", aliasDuplicateObjects: false });
}
