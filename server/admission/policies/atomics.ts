/**
 * Places where a configuration would replace a list or an object as a whole: a policy that sets some fields there would
 * silently take away the others.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch/smd.go (findAtomics)
 */
import { fieldsOf, type FieldType, itemsOf, shapeOf } from "@atoll/machinery/patch/types";

/** Paths as `.spec.selector`, `.spec.items[0].list`. */
export function atomics(type: FieldType, value: unknown, path = ""): readonly string[] {
  if (value === null || typeof value !== "object") return [];
  const shape = shapeOf(type, value);
  if (shape === "map") return inMap(type, value, path);
  return shape === "list" ? inList(type, value, path) : [];
}

function inMap({ map }: FieldType, value: object, path: string): readonly string[] {
  if (map === undefined) return [];
  const own = map.atomic ? [path] : [];
  const below = Object.entries(fieldsOf(value) ?? {}).flatMap(([name, item]) => {
    const { type, declared } = map.field(name);
    return type === undefined || !declared ? [] : atomics(type, item, `${path}.${name}`);
  });
  return [...own, ...below];
}

function inList({ list }: FieldType, value: object, path: string): readonly string[] {
  if (list === undefined) return [];
  const own = list.atomic ? [path] : [];
  return [...own, ...(itemsOf(value) ?? []).flatMap((item, i) => atomics(list.item, item, `${path}[${i}]`))];
}
