/**
 * Gateways of the class: their listeners, who may join them, and what is said of them. All share one proxy, its address, and
 * its ports 80 and 443. Pure.
 * Source: sigs.k8s.io/gateway-api/apis/v1 (gateway_types.go: conditions and reasons)
 */
import type { Gateway, GatewayClass } from "@atoll/api/gatewayapi/gateway";
import { gatewayApi } from "@atoll/api/gatewayapi/group";
import type { ReferenceGrant } from "@atoll/api/gatewayapi/referencegrant";
import { gatewayController } from "@atoll/api/supervisor/gateway";
import type { Namespace } from "@atoll/client/builtin";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Certificates } from "./certificates.ts";
import { isHost } from "./ingress.ts";
import type { Source } from "./rule.ts";

/** A condition, without the times. */
export interface Said {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** A listener, judged. */
export interface Listener {
  readonly name: string;
  /** Lower case; "" is every host. */
  readonly hostname: string;
  readonly port: number;
  readonly scheme: "http" | "https";
  readonly isAccepted: boolean;
  readonly said: readonly Said[];
  /** Of this namespace, with these labels. */
  admits(namespace: Namespace): boolean;
  readonly routesAllowed: boolean;
}

/** A Gateway that is served, judged. */
export interface Judged {
  readonly gateway: Gateway;
  readonly listeners: readonly Listener[];
}

type Spec = Gateway["spec"]["listeners"][number];

/** Who asks. */
export const gatewaySource = ({ metadata }: Gateway): Source => ({
  kind: "Gateway",
  namespace: metadata.namespace ?? "",
  name: metadata.name ?? "",
  since: metadata.creationTimestamp ?? "",
});

/** Whether it is the gateway's to serve. */
export function isServedGateway({ metadata, spec }: Gateway, classes: readonly GatewayClass[]): boolean {
  const found = classes.find((each) => each.metadata.name === spec.gatewayClassName);
  return found?.spec.controllerName === gatewayController && metadata.deletionTimestamp === undefined;
}

/** A reference from one namespace into another, as grants tell it. */
export interface Reference {
  readonly from: { readonly kind: string; readonly namespace: string };
  readonly to: { readonly kind: string; readonly namespace: string; readonly name: string };
}

/** Whether a reference stays in its namespace or is granted. */
export function isGranted({ from, to }: Reference, grants: readonly ReferenceGrant[]): boolean {
  if (from.namespace === to.namespace) return true;
  return grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === to.namespace &&
      spec.from.some(
        (each) => each.group === gatewayApi && each.kind === from.kind && each.namespace === from.namespace,
      ) &&
      spec.to.some((each) => each.group === "" && each.kind === to.kind && (each.name ?? to.name) === to.name),
  );
}

/** Judges a Gateway's listeners, and asks for their certificates. */
export function judgeGateway(gateway: Gateway, certificates: Certificates, grants: readonly ReferenceGrant[]): Judged {
  const isChoosy = (gateway.spec.addresses ?? []).length > 0;
  const listeners = gateway.spec.listeners.map((spec): Listener => {
    const accepted = acceptanceOf(spec);
    const resolved = resolve(spec, { gateway, certificates, grants });
    const isAccepted = !isChoosy && accepted.status === "True" && resolved.status === "True";
    const programmed: Said = isAccepted
      ? { type: "Programmed", status: "True", reason: "Programmed", message: "requests come in" }
      : { type: "Programmed", status: "False", reason: "Invalid", message: "see the other conditions" };
    const none: Said = {
      type: "Conflicted",
      status: "False",
      reason: "NoConflicts",
      message: "nothing stands in its way",
    };
    return {
      name: spec.name,
      hostname: (spec.hostname ?? "").toLowerCase(),
      port: spec.port,
      scheme: spec.protocol === "HTTPS" ? "https" : "http",
      isAccepted,
      said: [accepted, resolved, programmed, none],
      admits: (namespace) => admits(spec, gateway, namespace),
      routesAllowed: kindsOf(spec).length > 0,
    };
  });
  return { gateway, listeners };
}

/** Kinds of routes that may join, of those that there are. */
export function kindsOf({ allowedRoutes }: Spec): readonly { group: string; kind: string }[] {
  const kinds = allowedRoutes?.kinds ?? [];
  return kinds.length === 0 || kinds.some(isHttpRoute) ? [{ group: gatewayApi, kind: "HTTPRoute" }] : [];
}

const isHttpRoute = ({ group = gatewayApi, kind }: { readonly group?: string; readonly kind: string }): boolean =>
  group === gatewayApi && kind === "HTTPRoute";

function acceptanceOf({ protocol, port, hostname = "", tls }: Spec): Said {
  const no = (reason: string, message: string): Said => ({ type: "Accepted", status: "False", reason, message });
  const wanted = { HTTP: 80, HTTPS: 443 }[protocol];
  if (wanted === undefined) return no("UnsupportedProtocol", `protocol ${protocol} is not served: HTTP and HTTPS are`);
  if (port !== wanted) return no("PortUnavailable", `${protocol} is served at port ${wanted} alone`);
  if (!isHost(hostname.toLowerCase()))
    return no("UnsupportedValue", `hostname ${JSON.stringify(hostname)} is no DNS name`);
  if (protocol === "HTTPS" && (tls?.mode ?? "Terminate") !== "Terminate")
    return no("UnsupportedValue", "tls.mode Passthrough is not served");
  if (protocol === "HTTPS" && (tls?.certificateRefs ?? []).length === 0)
    return no("UnsupportedValue", "tls.certificateRefs: HTTPS needs a certificate");
  return { type: "Accepted", status: "True", reason: "Accepted", message: "it is served" };
}

interface Surroundings {
  readonly gateway: Gateway;
  readonly certificates: Certificates;
  readonly grants: readonly ReferenceGrant[];
}

function resolve(spec: Spec, surroundings: Surroundings): Said {
  const other = (spec.allowedRoutes?.kinds ?? []).find((each) => !isHttpRoute(each));
  if (other !== undefined) return unresolved("InvalidRouteKinds", `routes of kind ${other.kind} are not served`);
  const problems = (spec.tls?.certificateRefs ?? []).flatMap(
    (ref) => certificateProblem(ref, spec, surroundings) ?? [],
  );
  const whole: Said = {
    type: "ResolvedRefs",
    status: "True",
    reason: "ResolvedRefs",
    message: "all that it names is there",
  };
  return problems[0] ?? whole;
}

const unresolved = (reason: string, message: string): Said => ({
  type: "ResolvedRefs",
  status: "False",
  reason,
  message,
});

type CertificateRef = NonNullable<NonNullable<Spec["tls"]>["certificateRefs"]>[number];

function certificateProblem(
  { group = "", kind = "Secret", name, namespace }: CertificateRef,
  { hostname }: Spec,
  { gateway, certificates, grants }: Surroundings,
): Said | undefined {
  const own = gateway.metadata.namespace ?? "";
  const home = namespace ?? own;
  if (group !== "" || kind !== "Secret") return unresolved("InvalidCertificateRef", `${kind} ${name} is no Secret`);
  const reference = { from: { kind: "Gateway", namespace: own }, to: { kind, namespace: home, name } };
  if (!isGranted(reference, grants))
    return unresolved("RefNotPermitted", `no ReferenceGrant in ${home} lets Gateways of ${own} name Secret ${name}`);
  const problem = certificates.ask({ namespace: home, secret: name, hosts: hostname === undefined ? [] : [hostname] });
  return problem === undefined ? undefined : unresolved("InvalidCertificateRef", problem);
}

function admits({ allowedRoutes }: Spec, { metadata }: Gateway, namespace: Namespace): boolean {
  const { from = "Same", selector } = allowedRoutes?.namespaces ?? {};
  if (from === "All") return true;
  if (from === "Same") return namespace.metadata.name === metadata.namespace;
  const wanted = selectorOf(selector);
  return wanted !== undefined && matchesLabels(wanted, namespace.metadata.labels);
}
