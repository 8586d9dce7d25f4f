/** What the rules of schemas share. */
import type { FieldErrors, Path } from "@atoll/machinery/field";
import type { RawSchema } from "@atoll/machinery/schema/structural/raw";

/** What an update lets be because it was so before. */
export interface SchemaLeniency {
  readonly unknownTypes: boolean;
  readonly nonAtomicSets: boolean;
  readonly looseMapKeys: boolean;
  /** The schema did not change: its rules may cost what they cost. */
  readonly anyRuleCost: boolean;
}

/** @returns whether the schema has the type that an extension needs */
export function requireType(
  { type = "" }: RawSchema,
  { at, type: wanted, because }: { readonly at: Path; readonly type: string; readonly because: string },
  errors: FieldErrors,
): boolean {
  if (type === wanted) return true;
  const detail = `must be ${wanted} if ${because} is specified`;
  if (type === "") errors.required(at.child("type"), detail);
  else errors.invalid(at.child("type"), type, detail);
  return false;
}
