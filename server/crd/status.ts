/**
 * What a definition's status says: which names it got, whether its schema is structural, whether it is served, and how
 * its deletion goes.
 * Source: k8s.io/apiextensions-apiserver/pkg/controller/{status/naming_controller,establish/establishing_controller,
 * nonstructuralschema/nonstructuralschema_controller}.go, pkg/apihelpers/helpers.go
 */
import type {
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import { isCABundle } from "@atoll/api/apiextensions/conversion";
import { type CustomResourceDefinition, hasCondition } from "@atoll/api/apiextensions/definition";
import { deepEqual } from "@atoll/machinery/equal";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { type RawSchema, unsupportedReason } from "@atoll/machinery/schema/structural/raw";
import { validateStructure } from "@atoll/machinery/schema/structural/structure";

/** A condition as it is decided; when it came to be is added as it is set. */
export interface Decided {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

type Names = CustomResourceDefinitionNames;
type Status = CustomResourceDefinitionStatus;
type Conditions = readonly CustomResourceDefinitionCondition[];

/** The conditions with one more, or one replaced; the same list when it says so already. */
export function withCondition(conditions: Conditions, decided: Decided, now: string): Conditions {
  const old = conditions.find(({ type }) => type === decided.type);
  if (old === undefined) return [...conditions, { ...decided, lastTransitionTime: now }];
  const { status, reason, message } = old;
  if (status === decided.status && reason === decided.reason && message === decided.message) return conditions;
  const lastTransitionTime = status === decided.status ? old.lastTransitionTime : now;
  const made = { ...old, ...decided, lastTransitionTime };
  return conditions.map((condition) => (condition === old ? made : condition));
}

/** What the status depends on beside the definition. */
export interface Surroundings {
  /** Names that others of the group have been given. */
  readonly others: readonly Names[];
  /** What structureOf() says, which depends on the spec alone. */
  readonly structure: readonly Decided[];
  readonly now: string;
}

/** The status a definition should have. */
export function nextStatus(crd: CustomResourceDefinition, { others, structure, now }: Surroundings): Status {
  const { acceptedNames, accepted } = namesOf(crd, others);
  const decided = [...(accepted === undefined ? [] : [accepted]), ...structure, ...establishedOf(crd, accepted)];
  const was = (crd.status.conditions ?? []).filter(
    ({ type }) => type !== "NonStructuralSchema" || decided.some((condition) => condition.type === type),
  );
  const conditions = decided.reduce<Conditions>((list, condition) => withCondition(list, condition, now), was);
  return { ...crd.status, conditions: [...conditions], acceptedNames };
}

/** `accepted` is undefined when nothing is to be decided. */
function namesOf(
  { spec, status }: CustomResourceDefinition,
  others: readonly Names[],
): { readonly acceptedNames: Names; readonly accepted: Decided | undefined } {
  if (deepEqual(spec.names, status.acceptedNames) && hasCondition(status, "NamesAccepted")) {
    return { acceptedNames: status.acceptedNames, accepted: undefined };
  }
  const claim = new Claim(spec.names, status.acceptedNames, others);
  const acceptedNames = claim.names();
  const [reason, message] = claim.conflict ?? ["NoConflicts", "no conflicts found"];
  const accepted = claim.conflict === undefined ? "True" : "False";
  return { acceptedNames, accepted: { type: "NamesAccepted", status: accepted, reason, message } };
}

/** Names wanted, those had already, and those others have. A later conflict is told instead of an earlier one. */
class Claim {
  readonly #wanted: Names;
  readonly #had: Names;
  readonly #resources: ReadonlySet<string>;
  readonly #kinds: ReadonlySet<string>;
  conflict: readonly [reason: string, message: string] | undefined;

  constructor(wanted: Names, had: Names, others: readonly Names[]) {
    this.#wanted = wanted;
    this.#had = had;
    const resources = others.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...(shortNames ?? [])]);
    this.#resources = new Set(resources.filter(isName));
    this.#kinds = new Set(others.flatMap(({ kind, listKind }) => [kind, listKind]).filter(isName));
  }

  names(): Names {
    const plural = this.#one("plural", "PluralConflict", this.#resources);
    const singular = this.#one("singular", "SingularConflict", this.#resources);
    const shortNames = this.#shortNames();
    const kind = this.#one("kind", "KindConflict", this.#kinds);
    const listKind = this.#one("listKind", "ListKindConflict", this.#kinds);
    const { categories } = this.#wanted;
    return {
      plural: plural ?? "",
      ...(singular === undefined ? {} : { singular }),
      ...(shortNames === undefined ? {} : { shortNames: [...shortNames] }),
      kind: kind ?? "",
      ...(listKind === undefined ? {} : { listKind }),
      ...(categories === undefined ? {} : { categories }),
    };
  }

  #one(
    field: "plural" | "singular" | "kind" | "listKind",
    reason: string,
    taken: ReadonlySet<string>,
  ): string | undefined {
    const [wanted, had] = [this.#wanted[field], this.#had[field]];
    if ((wanted ?? "") === (had ?? "") || !taken.has(wanted ?? "")) return wanted;
    this.conflict = [reason, inUse(wanted ?? "")];
    return had;
  }

  #shortNames(): readonly string[] | undefined {
    const had = this.#had.shortNames ?? [];
    const wanted = this.#wanted.shortNames;
    const lost = (wanted ?? []).filter((name) => !had.includes(name) && this.#resources.has(name)).map(inUse);
    if (lost.length === 0) return wanted;
    const told = [...new Set(lost)];
    this.conflict = ["ShortNamesConflict", told.length === 1 ? (told[0] ?? "") : `[${told.join(", ")}]`];
    return this.#had.shortNames;
  }
}

function isName(name: string | undefined): name is string {
  return name !== undefined && name !== "";
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`;
}

/** What keeps the schemas from being structural; nothing when they are. */
export function structureOf({ spec }: CustomResourceDefinition): readonly Decided[] {
  const errors = new FieldErrors();
  if (spec.preserveUnknownFields === true) {
    errors.invalid(Path.of("spec", "preserveUnknownFields"), true, "must be false");
  }
  for (const [i, version] of (spec.versions ?? []).entries()) {
    const schema = version.schema?.openAPIV3Schema as RawSchema | undefined;
    if (schema === undefined) continue;
    const reason = unsupportedReason(schema);
    if (reason !== undefined) {
      const message = `failed to check validation schema for version ${version.name}: ${reason}`;
      return [{ type: "NonStructuralSchema", status: "Unknown", reason: "StructuralError", message }];
    }
    const at = Path.of("spec", "versions").index(i).child("schema").child("openAPIV3Schema");
    validateStructure(schema, at, errors);
  }
  if (errors.ok) return [];
  const told = errors.list.map(({ field, message }) => `${field}: ${message}`);
  const message = told.length === 1 ? (told[0] ?? "") : `[${told.join(", ")}]`;
  return [{ type: "NonStructuralSchema", status: "True", reason: "Violations", message }];
}

const established = {
  type: "Established",
  status: "True",
  reason: "InitialNamesAccepted",
  message: "the initial names have been accepted",
} as const;

/** Once established, always established: only deletion ends it. */
function establishedOf({ spec, status }: CustomResourceDefinition, accepted: Decided | undefined): readonly Decided[] {
  if (hasCondition(status, "Established")) return [];
  if (accepted?.status === "False") {
    const message = "not all names are accepted";
    return [{ type: "Established", status: "False", reason: "NotAccepted", message }];
  }
  const { caBundle = "" } = spec.conversion?.webhook?.clientConfig ?? {};
  if (caBundle === "" || isCABundle(caBundle)) return [established];
  const message = "The conversion webhook CABundle is invalid";
  return [{ type: "Established", status: "False", reason: "InvalidCABundle", message }];
}
