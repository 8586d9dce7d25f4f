/** Ingress. Source: k8s.io/kubernetes/pkg/registry/networking/ingress, pkg/apis/networking/validation (ValidateIngress) */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
  portNameErrors,
  portNumberErrors,
  wildcardSubdomainErrors,
} from "@atoll/machinery/names";
import { isIP } from "@atoll/machinery/schema/structural/formats/address";
import type { HTTPIngressPath, Ingress, IngressBackend, IngressSpec } from "../builtin/networking.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkAddress } from "../core/addresses.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badEndings = ["/..", "/."];

/** The rules of Ingresses. */
export const ingress: Strategy<Ingress> = {
  generation: true,
  revalidatesMetadata: true,
  prepareForCreate(object) {
    object.status = { loadBalancer: {} };
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validate(object, errors) {
    const { metadata, spec } = object;
    if (metadata.annotations?.[classAnnotation] !== undefined && spec.ingressClassName !== undefined) {
      const at = Path.of("metadata", "annotations").key(classAnnotation);
      errors.invalid(at, metadata.annotations[classAnnotation], "can not be set when the class field is also set");
    }
    checkSpec(spec, new Place(errors, Path.of("spec")));
  },
  validateUpdate: ({ spec }, _, errors) => checkSpec(spec, new Place(errors, Path.of("spec"))),
  warnings: ({ metadata }) =>
    metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`],
  status: { validateUpdate: checkStatus },
  table: {
    columns: [
      nameColumn,
      column("Class", "The class whose controller serves it."),
      column("Hosts", "The hosts it is for."),
      column("Address", "Where it is reached."),
      column("Ports", "The ports on which it is reached."),
      ageColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.ingressClassName ?? metadata.annotations?.[classAnnotation] ?? "<none>",
      hostsCell(spec),
      (status.loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").join(","),
      (spec.tls ?? []).length > 0 ? "80, 443" : "80",
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

const hostsShown = 3;

function hostsCell({ rules = [] }: IngressSpec): string {
  const hosts = rules.map(({ host }) => host ?? "").filter((host) => host !== "");
  if (hosts.length === 0) return "*";
  const more = hosts.length > hostsShown ? ` + ${hosts.length - hostsShown} more...` : "";
  return hosts.slice(0, hostsShown).join(",") + more;
}

function checkSpec(spec: IngressSpec, at: Place): void {
  const { rules = [], tls = [], defaultBackend, ingressClassName } = spec;
  if (rules.length === 0 && defaultBackend === undefined) {
    at.invalid("", rules, "either `defaultBackend` or `rules` must be specified");
  }
  if (defaultBackend !== undefined) checkBackend(defaultBackend, at.child("defaultBackend"));
  for (const [i, { host = "", http }] of rules.entries()) {
    const here = at.item("rules", i);
    if (host !== "") checkHost(host, here);
    if (http === undefined) continue;
    const paths = http.paths ?? [];
    if (paths.length === 0) here.child("http").required("paths");
    for (const [j, path] of paths.entries()) checkPath(path, here.child("http").item("paths", j));
  }
  for (const [i, { hosts = [], secretName = "" }] of tls.entries()) {
    const here = at.item("tls", i);
    for (const [j, host] of hosts.entries()) {
      const errors = host.includes("*") ? wildcardSubdomainErrors(host) : dns1123SubdomainErrors(host);
      here.item("hosts", j).each("", host, errors);
    }
    if (secretName !== "") here.each("secretName", secretName, dns1123SubdomainErrors(secretName));
  }
  if (ingressClassName !== undefined)
    at.each("ingressClassName", ingressClassName, dns1123SubdomainErrors(ingressClassName));
}

function checkHost(host: string, at: Place): void {
  if (isIP(host, "sloppy")) at.invalid("host", host, "must be a DNS name, not an IP address");
  at.each("host", host, host.includes("*") ? wildcardSubdomainErrors(host) : dns1123SubdomainErrors(host));
}

function checkPath({ path = "", pathType, backend }: HTTPIngressPath, at: Place): void {
  if (pathType === null || pathType === undefined) {
    at.required("pathType", "pathType must be specified");
    return;
  }
  if (pathType === "Exact" || pathType === "Prefix") checkPathText(path, at);
  else if (pathType === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) at.invalid("path", path, "must be an absolute path");
  } else at.notSupported("pathType", pathType, pathTypes);
  checkBackend(backend, at.child("backend"));
}

function checkPathText(path: string, at: Place): void {
  if (!path.startsWith("/")) at.invalid("path", path, "must be an absolute path");
  if (path === "") return;
  for (const bad of badSequences) if (path.includes(bad)) at.invalid("path", path, `must not contain '${bad}'`);
  for (const bad of badEndings) if (path.endsWith(bad)) at.invalid("path", path, `cannot end with '${bad}'`);
}

function checkBackend({ service, resource }: IngressBackend, at: Place): void {
  if (resource !== undefined && service !== undefined) {
    at.invalid("", "", "cannot set both resource and service backends");
    return;
  }
  if (resource !== undefined) {
    const here = at.child("resource");
    const { apiGroup, kind, name } = resource;
    if (apiGroup !== undefined && apiGroup !== null) here.each("apiGroup", apiGroup, dns1123SubdomainErrors(apiGroup));
    for (const [field, value] of Object.entries({ kind, name })) {
      if (value === "") here.required(field, `${field} is required`);
      else here.each(field, value, pathSegmentErrors(value, false));
    }
    return;
  }
  if (service === undefined) return at.invalid("", "", "resource or service backend is required");
  checkService(service, at);
}

/** `at` is the backend's place. */
function checkService({ name, port }: NonNullable<IngressBackend["service"]>, at: Place): void {
  if (name === "") at.child("service").required("name");
  else at.child("service").each("name", name, dns1035LabelErrors(name));
  const here = at.child("service").child("port");
  const { name: portName = "", number = 0 } = port;
  if (portName !== "" && number !== 0) at.invalid("", name, "cannot set both port name & port number");
  else if (portName !== "") here.each("name", portName, portNameErrors(portName));
  else if (number !== 0) here.each("number", number, portNumberErrors(number));
  else at.required("", "port name or number is required");
}

/** Source: ValidateIngressLoadBalancerStatus */
function checkStatus({ status }: Ingress, _: Ingress, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("status", "loadBalancer"));
  for (const [i, { ip = "", hostname = "" }] of (status.loadBalancer.ingress ?? []).entries()) {
    const here = at.item("ingress", i);
    if (ip !== "") checkAddress(ip, here.child("ip"));
    if (hostname === "") continue;
    here.each("hostname", hostname, dns1123SubdomainErrors(hostname));
    if (isIP(hostname, "sloppy")) here.invalid("hostname", hostname, "must be a DNS name, not an IP address");
  }
}
