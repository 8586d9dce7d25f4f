/**
 * Which objects a list, watch or deletecollection means: selectors over labels and fields.
 * Source: k8s.io/apimachinery/pkg/labels, …/fields, k8s.io/apiserver/pkg/registry/generic/matcher.go
 */
import type { Kind } from "@atoll/api/kind";
import type { ApiObject } from "@atoll/machinery/object";
import { type FieldSelector, matchesFields, parseFieldSelector } from "@atoll/machinery/selectors/fields";
import {
  type LabelSelector,
  matchesLabels,
  parseLabelSelector,
  SelectorSyntaxError,
} from "@atoll/machinery/selectors/labels";
import { StatusError } from "@atoll/machinery/status";

/** A predicate over objects. `everything` says that it need not be asked. */
export interface Selection {
  readonly everything: boolean;
  /** The one name it can match, when a field selector names it. */
  readonly name: string | undefined;
  matches(object: ApiObject): boolean;
}

const maxSelectorLength = 64 * 1024;

/** @throws {StatusError} BadRequest for bad syntax, or a field that cannot be selected by */
export function selection(query: URLSearchParams, kind: Kind): Selection {
  const labelText = query.get("labelSelector") ?? "";
  const fieldText = query.get("fieldSelector") ?? "";
  if (labelText === "" && fieldText === "") return everything;
  const labels = parsed(labelText, parseLabelSelector, "label");
  const fields = parsed(fieldText, parseFieldSelector, "field");
  for (const { field } of fields) checkField(field, kind);
  return {
    everything: labels.length === 0 && fields.length === 0,
    name: fields.find((term) => term.field === "metadata.name" && term.equal)?.value,
    matches: (object) =>
      matchesLabels(labels, object.metadata.labels) && matchesFields(fields, (field) => fieldOf(kind, object, field)),
  };
}

const everything: Selection = { everything: true, name: undefined, matches: () => true };

function parsed<T extends LabelSelector | FieldSelector>(text: string, parse: (text: string) => T, what: string): T {
  if (text.length > maxSelectorLength) {
    throw new StatusError("BadRequest", `the ${what} selector is longer than ${maxSelectorLength} characters`);
  }
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof SelectorSyntaxError)) throw cause;
    throw new StatusError("BadRequest", `unable to parse ${what} selector: ${cause.message}`, { cause });
  }
}

function checkField(field: string, kind: Kind): void {
  if (field === "metadata.name" || (field === "metadata.namespace" && kind.namespaced)) return;
  if (kind.strategy.fields !== undefined && Object.hasOwn(kind.strategy.fields, field)) return;
  throw new StatusError("BadRequest", `field label not supported: ${field}`);
}

function fieldOf(kind: Kind, object: ApiObject, field: string): string {
  if (field === "metadata.name") return object.metadata.name ?? "";
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return kind.strategy.fields?.[field]?.(object) ?? "";
}
