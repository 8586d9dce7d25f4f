/** IngressClass. Source: k8s.io/kubernetes/pkg/registry/networking/ingressclass, pkg/apis/networking/validation */
import { Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, dns1123SubdomainErrors, pathSegmentErrors } from "@atoll/machinery/names";
import type { IngressClass, IngressClassParametersReference } from "../builtin/networking.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const scopes = ["Cluster", "Namespace"];
const controllerMax = 250;

/** The rules of IngressClasses. */
export const ingressClass: Strategy<IngressClass> = {
  generation: true,
  revalidatesMetadata: true,
  setDefaults({ spec }) {
    if (spec.parameters !== undefined) spec.parameters.scope ??= "Cluster";
  },
  validate({ spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    const { controller = "", parameters } = spec;
    if (controller.length > controllerMax) at.tooLong("controller", controllerMax);
    if (controller === "") at.required("controller");
    else checkController(controller, at);
    if (parameters !== undefined) checkParameters(parameters, at.child("parameters"));
  },
  validateUpdate(object, old, errors) {
    const { spec } = object;
    const at = new Place(errors, Path.of("spec"));
    if (spec.controller !== old.spec.controller) at.invalid("controller", spec.controller ?? "", "field is immutable");
    ingressClass.validate?.(object, errors);
  },
  table: {
    columns: [
      nameColumn,
      column("Controller", "What serves its Ingresses."),
      column("Parameters", "Where more is said about it."),
      ageColumn,
    ],
    cells: ({ metadata, spec: { controller = "", parameters } }, nowMs) => [
      metadata.name ?? "",
      controller,
      parametersCell(parameters),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function parametersCell(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${apiGroup ? `${kind}.${apiGroup}` : kind}/${name}`;
}

/** A name below a domain, which may have further segments. Source: IsDomainPrefixedPath */
function checkController(controller: string, at: Place): void {
  const slash = controller.indexOf("/");
  if (slash <= 0 || slash === controller.length - 1) {
    at.invalid("controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")');
    return;
  }
  at.each("controller", controller, dns1123SubdomainErrors(controller.slice(0, slash)));
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(controller.slice(slash + 1))) {
    at.invalid("controller", controller, "Invalid path");
  }
}

function checkParameters(parameters: IngressClassParametersReference, at: Place): void {
  const { apiGroup, kind, name, scope, namespace } = parameters;
  if (apiGroup !== undefined && apiGroup !== null) at.each("apiGroup", apiGroup, dns1123SubdomainErrors(apiGroup));
  if (kind === "") at.required("kind", "kind is required");
  else at.each("kind", kind, pathSegmentErrors(kind, false));
  if (name === "") at.required("name", "name is required");
  else at.each("name", name, pathSegmentErrors(name, false));
  if (scope === undefined || scope === null) at.required("scope");
  else if (!scopes.includes(scope)) at.notSupported("scope", scope, scopes);
  if (scope === "Namespace") {
    if (namespace === undefined) at.required("namespace", "`parameters.scope` is set to 'Namespace'");
    else at.each("namespace", namespace, dns1123LabelErrors(namespace));
  }
  if (scope === "Cluster" && namespace !== undefined) {
    at.forbidden("namespace", "`parameters.scope` is set to 'Cluster'");
  }
}
