/**
 * Where a proxied request goes: a node's kubelet, a pod, an endpoint of a service.
 * Source: k8s.io/kubernetes/pkg/registry/core/{node,pod,service} (ResourceLocation), pkg/kubelet/client
 */
import { BlockList, isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { Node, Pod, Service } from "@atoll/api/builtin/core/v1.types";
import { chance } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import { readyAddresses } from "../services/endpoints.ts";
import type { Backend, BackendTls } from "./forward.ts";

/** `scheme:name:port`, `name:port` or `name`, as proxy paths name things. Source: k8s.io/apimachinery/pkg/util/net SplitSchemeNamePort */
export interface SchemeNamePort {
  readonly scheme: "" | "http" | "https";
  readonly name: string;
  readonly port: string;
}

/** @throws {StatusError} BadRequest */
function splitName(text: string, what: string): SchemeNamePort {
  const parts = text.split(":");
  const [scheme = "", name = "", port = ""] = parts.length < 3 ? ["", ...parts] : parts;
  const known = scheme === "" || scheme === "http" || scheme === "https";
  if (parts.length > 3 || name === "" || !known) {
    throw new StatusError("BadRequest", `invalid ${what} request ${JSON.stringify(text)}`);
  }
  return { scheme, name, port };
}

const anyCertificate: BackendTls = { rejectUnauthorized: false };
const tlsFor = (scheme: string): BackendTls | undefined => (scheme === "https" ? anyCertificate : undefined);

/** An object as stored now. @throws {StatusError} NotFound */
export async function read<T>(
  { services }: Call,
  plural: "nodes" | "pods" | "services",
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<T> {
  const stored = services.catalogue.resource("", plural);
  if (stored === undefined) throw new TypeError(`${plural} are not stored`);
  return stored.cache.object(await stored.get(namespace, name)) as unknown as T;
}

// In the order in which kubelets are tried. Source: --kubelet-preferred-address-types
const preferred = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];
const usualKubeletPort = 10250;

/** The kubelet API of a node. @param tls what this server shows to kubelets @throws {StatusError} the node is unknown or has no address */
export async function kubelet(call: Call, nodeName: string, tls: BackendTls): Promise<Backend> {
  const { status } = await read<Node>(call, "nodes", { namespace: "", name: nodeName });
  const addresses = status?.addresses ?? [];
  // An address by number first: this server need not be able to look up the names of hosts.
  const numeric = addresses.find(({ type, address }) => type === "InternalIP" && isIP(address) !== 0);
  const named = preferred
    .map((type) => addresses.find((each) => each.type === type))
    .find((each) => each !== undefined);
  const host = (numeric ?? named)?.address;
  if (host === undefined) {
    throw new StatusError("InternalError", `no preferred addresses found; known addresses: [] of node ${nodeName}`);
  }
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? usualKubeletPort;
  return { host, port, tls: { ...tls, checkServerIdentity: isNode(nodeName) } };
}

/**
 * A node says by itself at which address it is. Its certificate says that it is there: otherwise it could name another
 * node's address, or this server's own, and requests would arrive there with this server's rights.
 * Source: names that the signer kubernetes.io/kubelet-serving asks for
 */
function isNode(name: string): NonNullable<BackendTls["checkServerIdentity"]> {
  return (host, certificate) => {
    const wrong = checkServerIdentity(host, certificate);
    if (wrong !== undefined || certificate.subject.CN === `system:node:${name}`) return wrong;
    return new Error(`the certificate is of ${String(certificate.subject.CN)}, not of system:node:${name}`);
  };
}

/** A node as `nodes/NAME/proxy` names it: with another port it is that port, plain or TLS. */
export async function nodeBackend(call: Call, tls: BackendTls): Promise<Backend> {
  const { scheme, name, port } = splitName(call.info.name, "node");
  const own = await kubelet(call, name, tls);
  if (port === "" || Number(port) === own.port) return own;
  return proxyable({ host: own.host, port: portNumber(port), tls: tlsFor(scheme) });
}

/** A pod as `pods/NAME/proxy` names it: its first port unless one is said. */
export async function podBackend(call: Call): Promise<Backend> {
  const { scheme, name, port } = splitName(call.info.name, "pod");
  const { spec, status } = await read<Pod>(call, "pods", { namespace: call.info.namespace, name });
  const first = (spec?.containers ?? []).flatMap(({ ports = [] }) => ports).at(0)?.containerPort;
  const host = status?.podIP ?? "";
  if (host === "") throw new StatusError("BadRequest", `pod ${name} does not have an address yet`);
  const usual = scheme === "https" ? 443 : 80;
  return proxyable({ host, port: port === "" ? (first ?? usual) : portNumber(port), tls: tlsFor(scheme) });
}

/** A ready endpoint of a service, any of them. @throws {StatusError} ServiceUnavailable */
export async function serviceBackend(call: Call): Promise<Backend> {
  const { namespace } = call.info;
  const { scheme, name, port } = splitName(call.info.name, "service");
  const { spec } = await read<Service>(call, "services", { namespace, name });
  const ports = spec?.ports ?? [];
  const wanted = ports.find((each) => port === "" || each.name === port || String(each.port) === port);
  if (wanted === undefined) {
    throw new StatusError(
      "ServiceUnavailable",
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
    );
  }
  const found = await readyAddresses(call.services.catalogue, { namespace, name }, wanted);
  const chosen = found[Math.floor(chance() * found.length)];
  if (chosen === undefined) {
    throw new StatusError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(name)}`);
  }
  return proxyable({ ...chosen, tls: tlsFor(scheme) });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new StatusError("BadRequest", `invalid port ${JSON.stringify(text)}: 1 to 65535`);
}

/** Addresses that would make this server speak with itself or its host in somebody's name. */
const own = new BlockList();
own.addSubnet("127.0.0.0", 8);
own.addSubnet("169.254.0.0", 16);
own.addSubnet("224.0.0.0", 4);
own.addAddress("0.0.0.0");
own.addAddress("::1", "ipv6");
own.addSubnet("fe80::", 10, "ipv6");
own.addSubnet("ff00::", 8, "ipv6");

/** Source: k8s.io/kubernetes/pkg/proxy/util IsProxyableIP; CVE-2020-8555, CVE-2020-8562 */
function proxyable(backend: Backend): Backend {
  const family = isIP(backend.host) === 6 ? "ipv6" : "ipv4";
  if (own.check(backend.host, family)) throw new StatusError("BadRequest", "address not allowed");
  return backend;
}
