/**
 * Rules of the names a custom kind goes by, and of groups that belong to the Kubernetes community.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go, pkg/apihelpers
 */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1035LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { CustomResourceDefinitionNames } from "../builtin/apiextensions.k8s.io/v1.types.ts";

/** Names that are given must be good ones. */
export function validateNames(names: CustomResourceDefinitionNames, at: Path, errors: FieldErrors): void {
  const { plural, singular = "", kind, listKind = "", shortNames, categories } = names;
  label(plural, at.child("plural"), errors);
  label(singular, at.child("singular"), errors);
  mixedCase(kind, at.child("kind"), errors);
  mixedCase(listKind, at.child("listKind"), errors);
  for (const [i, name] of (shortNames ?? []).entries()) strictLabel(name, at.child("shortNames").index(i), errors);
  if (kind !== "" && kind === listKind) {
    errors.invalid(at.child("listKind"), listKind, "kind and listKind may not be the same");
  }
  for (const [i, name] of (categories ?? []).entries()) strictLabel(name, at.child("categories").index(i), errors);
}

/** Names that a definition cannot do without. */
export function requireNames(names: CustomResourceDefinitionNames, at: Path, errors: FieldErrors): void {
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    if ((names[name] ?? "") === "") errors.required(at.child(name));
  }
}

function label(name: string, at: Path, errors: FieldErrors): void {
  if (name !== "") strictLabel(name, at, errors);
}

/** Also refuses an empty name. */
export function strictLabel(name: string, at: Path, errors: FieldErrors): void {
  const wrong = dns1035LabelErrors(name);
  if (wrong.length > 0) errors.invalid(at, name, wrong.join(","));
}

function mixedCase(name: string, at: Path, errors: FieldErrors): void {
  const wrong = name === "" ? [] : dns1035LabelErrors(name.toLowerCase());
  if (wrong.length === 0) return;
  errors.invalid(at, name, `may have mixed case, but should otherwise match: ${wrong.join(",")}`);
}

/** A group is a domain. */
export function validateGroup(group: string, at: Path, errors: FieldErrors): void {
  if (group === "") {
    errors.required(at);
    return;
  }
  const wrong = dns1123SubdomainErrors(group);
  if (wrong.length > 0) errors.invalid(at, group, wrong.join(","));
  else if (!group.includes(".")) errors.invalid(at, group, "should be a domain with at least one dot");
}

const approval = "api-approved.kubernetes.io";

type Approval = "missing" | "bypassed" | "approved" | "invalid";

/** What the annotation of the Kubernetes community says. Source: KubeAPIApprovedAnnotation */
function approvalOf(annotations: Readonly<Record<string, string>> | undefined): Approval {
  const given = annotations?.[approval] ?? "";
  if (given === "") return "missing";
  if (given.startsWith("unapproved")) return "bypassed";
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#\s]+/.test(given) ? "approved" : "invalid";
}

/** Whether definitions of a group need the community's approval. */
export function needsApproval(group: string): boolean {
  return /(^|\.)(k8s|kubernetes)\.io$/.test(group);
}

/** @param old annotations before; a state that does not change is let be */
export function validateApproval(
  annotations: Readonly<Record<string, string>> | undefined,
  old: { readonly annotations: Readonly<Record<string, string>> | undefined } | undefined,
  errors: FieldErrors,
): void {
  const state = approvalOf(annotations);
  if (old !== undefined && approvalOf(old.annotations) === state) return;
  const at = Path.of("metadata", "annotations").key(approval);
  const link = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (state === "missing") {
    errors.required(at, `protected groups must have approval annotation "${approval}", ${link}`);
  } else if (state === "invalid") {
    const form = 'with either a URL or a reason starting with "unapproved"';
    const detail = `protected groups must have approval annotation "${approval}" ${form}, ${link}`;
    errors.invalid(at, annotations?.[approval], detail);
  }
}
