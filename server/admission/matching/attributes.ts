/**
 * A write as the rules of policies and webhooks see it.
 * Source: k8s.io/apiserver/pkg/admission/attributes.go, …/pkg/endpoints/handlers (names and namespaces)
 */
import type { Kind } from "@atoll/api/kind";
import type { ApiObject } from "@atoll/machinery/object";
import type { AdmissionRequest } from "../admission.ts";

/** Group, version and plural name. */
export interface ResourceName {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** Group, version and kind. */
export interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A resource in a version, and the kind of the objects written through it. */
export interface Matched {
  readonly resource: ResourceName;
  readonly kind: KindName;
  /** What it is served as; undefined when it is the request's own version. */
  readonly other: Kind | undefined;
}

export interface Attributes {
  readonly request: AdmissionRequest;
  readonly operation: AdmissionRequest["operation"];
  /** The request's own resource and kind. */
  readonly own: Matched;
  readonly subresource: string;
  /** "" while it is to be generated. */
  readonly name: string;
  /** A Namespace object's is its own name. */
  readonly namespace: string;
}

/** What is asked, with the kind of the subresource's bodies. */
export function attributesOf(request: AdmissionRequest): Attributes {
  const { kind, operation, subresource, object } = request;
  const name = request.name === "" ? (object?.metadata?.name ?? "") : request.name;
  const isNamespace = kind.plural === "namespaces" && kind.group === "";
  return {
    request,
    operation,
    own: {
      resource: { group: kind.group, version: kind.version, resource: kind.plural },
      kind: bodyKind(kind, subresource),
      other: undefined,
    },
    subresource,
    name,
    namespace: isNamespace ? name : request.namespace,
  };
}

/** The kind of what is written through a path: a Scale through `scale`. */
export function bodyKind(kind: Kind, subresource: string): KindName {
  if (subresource === "") return kind;
  return kind.subresources.find(({ name }) => name === subresource)?.kind ?? kind;
}

const exempt: ReadonlySet<string> = new Set([
  "validatingwebhookconfigurations",
  "mutatingwebhookconfigurations",
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
]);

/** What configures admission is not subject to it: nobody may lock everybody out. */
export function isExempt({ kind }: AdmissionRequest): boolean {
  return kind.group === "admissionregistration.k8s.io" && exempt.has(kind.plural);
}

/** The refusal of a write in the words of admission. Source: admission.NewForbidden */
export function forbidden(
  { request, name, own: { resource } }: Attributes,
  message: string,
  options: { readonly whole?: boolean } = {},
): { readonly message: string; readonly details: { name: string; group?: string; kind: string } } {
  const shown = name === "" ? nameToCome(request.object) : name;
  const qualified = resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;
  return {
    message: options.whole === true ? message : `${qualified} ${JSON.stringify(shown)} is forbidden: ${message}`,
    details: {
      name: shown,
      ...(resource.group === "" ? {} : { group: resource.group }),
      kind: resource.resource,
    },
  };
}

function nameToCome(object: ApiObject | undefined): string {
  const { name = "", generateName = "" } = object?.metadata ?? {};
  if (name !== "") return name;
  return generateName === "" ? "Unknown" : generateName;
}
