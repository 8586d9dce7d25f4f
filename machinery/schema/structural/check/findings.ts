/**
 * What is wrong with a value, as the validator of custom resources words it.
 * Source: k8s.io/kube-openapi/pkg/validation/{errors,validate}, k8s.io/apiextensions-apiserver/pkg/apiserver/validation
 */
import type { FieldErrors, FieldReason, Path } from "../../../field.ts";

/** One thing that is wrong. */
export interface Finding {
  readonly reason: FieldReason;
  /** Where, from the value that was checked; "" is the value itself, undefined is nowhere. */
  readonly at: Path | undefined;
  readonly value: unknown;
  readonly detail: string;
  /** The whole sentence. What is found twice, word for word, is told once. */
  readonly text: string;
}

/** Collects findings, and counts the checks that were made: alternatives that come closest are told about. */
export class Findings {
  readonly list: Finding[] = [];
  checks = 0;

  add(finding: Finding): void {
    if (!this.list.some(({ text }) => text === finding.text)) this.list.push(finding);
  }

  /** Something that Kubernetes reports without a field. */
  nowhere(text: string): void {
    this.add({ reason: "FieldValueInvalid", at: undefined, value: "", detail: text, text });
  }

  invalid(at: Path, value: unknown, text: string): void {
    this.add({ reason: "FieldValueInvalid", at, value, detail: text, text });
  }

  /** @param type what was wanted; @param value what was found: a type's name, or the text that has not the format */
  wrongType(at: Path, type: string, value: string): void {
    const text = `${at.toString()} in body must be of type ${type}: ${JSON.stringify(value)}`;
    this.add({ reason: "FieldValueTypeInvalid", at, value, detail: text, text });
  }

  merge(other: Findings): void {
    for (const finding of other.list) this.add(finding);
    this.checks += other.checks;
  }

  get ok(): boolean {
    return this.list.length === 0;
  }
}

/** Reports findings as field errors; `below` is the path of the value that was checked, undefined for a whole object. */
export function report(findings: Findings, below: Path | undefined, errors: FieldErrors): void {
  for (const { reason, at, value, detail } of findings.list) {
    errors.add(reason, fieldOf(at?.toString() ?? "", below), value, detail);
  }
}

/** The field as Kubernetes spells it: where there is none, it writes `<nil>`. */
function fieldOf(name: string, below: Path | undefined): string {
  if (name === "") return below === undefined ? "<nil>" : below.toString();
  return below === undefined ? name : `${below.toString()}.${name}`;
}
