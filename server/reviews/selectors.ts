/**
 * The selectors that an access review asks about, as a request would say them.
 * Source: k8s.io/kubernetes/pkg/registry/authorization/util, pkg/apis/authorization/validation
 */
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  ResourceAttributes,
} from "@atoll/api/builtin/authorization.k8s.io/v1.types";
import type { FieldErrors, Path } from "@atoll/machinery/field";
import { formatLabelSelector, type LabelSelector } from "@atoll/machinery/selectors/labels";

/** The selectors as a query; what cannot be said in one is left out, so that the question asks for more, not less. */
export function selectorQuery({ fieldSelector, labelSelector }: ResourceAttributes): URLSearchParams {
  const query = new URLSearchParams();
  const fields = fieldText(fieldSelector);
  const labels = labelText(labelSelector);
  if (fields !== "") query.set("fieldSelector", fields);
  if (labels !== "") query.set("labelSelector", labels);
  return query;
}

/** Exactly one form of each selector, and each requirement complete. */
export function checkSelectors(
  { fieldSelector, labelSelector }: ResourceAttributes,
  at: Path,
  errors: FieldErrors,
): void {
  if (fieldSelector !== undefined) checkSelector(fieldSelector, at.child("fieldSelector"), errors);
  if (labelSelector !== undefined) checkSelector(labelSelector, at.child("labelSelector"), errors);
}

type Selector = FieldSelectorAttributes | LabelSelectorAttributes;

function checkSelector({ rawSelector = "", requirements = [] }: Selector, at: Path, errors: FieldErrors): void {
  if (rawSelector !== "" && requirements.length > 0) {
    errors.invalid(at.child("rawSelector"), rawSelector, "may not specified at the same time as requirements");
  }
  if (rawSelector === "" && requirements.length === 0) {
    const why = `when ${at.toString()} is specified, requirements or rawSelector is required`;
    errors.required(at.child("requirements"), why);
  }
  for (const [i, requirement] of requirements.entries()) {
    checkRequirement(requirement, at.child("requirements").index(i), errors);
  }
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Operators of tomorrow are let pass. */
function checkRequirement({ key, operator, values = [] }: Requirement, at: Path, errors: FieldErrors): void {
  if (key === "") errors.required(at.child("key"), "must be specified");
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    errors.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
  }
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
    errors.forbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  }
}

function fieldText({ rawSelector = "", requirements = [] }: FieldSelectorAttributes = {}): string {
  if (rawSelector !== "") return rawSelector;
  const signs: Readonly<Record<string, string>> = { In: "=", NotIn: "!=" };
  const terms = requirements.flatMap(({ key, operator, values = [] }) => {
    const sign = signs[operator];
    const [value] = values;
    return sign === undefined || value === undefined || values.length > 1 ? [] : [`${key}${sign}${escaped(value)}`];
  });
  return terms.join(",");
}

function escaped(value: string): string {
  return value.replace(/[\\,=]/g, "\\$&");
}

const operators: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

function labelText({ rawSelector = "", requirements = [] }: LabelSelectorAttributes = {}): string {
  if (rawSelector !== "") return rawSelector;
  const known = requirements.filter(({ operator }) => operators.has(operator));
  return formatLabelSelector(
    known.map(({ values = [], ...rest }) => ({ ...rest, values })) as unknown as LabelSelector,
  );
}
