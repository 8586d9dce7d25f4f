/**
 * Plugins that an operator asks for by name: they refuse or change what many a cluster lives by.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/{network/denyserviceexternalips,alwayspullimages}
 */
import type { Container, EphemeralContainer, Pod, Service } from "@atoll/api/builtin/core/v1.types";
import type { AdmissionPlugin } from "./admission.ts";
import { forbidden } from "./forbidden.ts";
import { microPods } from "./micropods.ts";

/** Service addresses that only their writer vouches for lead others' traffic astray (CVE-2020-8554). */
const denyServiceExternalIPs: AdmissionPlugin = {
  name: "DenyServiceExternalIPs",
  handles: ({ kind, operation, subresource }) =>
    kind.group === "" && kind.plural === "services" && subresource === "" && operation !== "DELETE",
  validate(request) {
    const known = new Set(addressesOf(request.old));
    if (addressesOf(request.object).every((address) => known.has(address))) return;
    throw forbidden(request, "Use of external IPs is denied by admission control");
  },
};

function addressesOf(service: object | undefined): readonly string[] {
  return (service as Service | undefined)?.spec.externalIPs ?? [];
}

/**
 * A node port is one of every host, and hosts are not tenants' to share out. A Service that has some may keep them.
 * Source: vSphere's Supervisor, whose Services are of the types ClusterIP and LoadBalancer
 */
const denyNodePorts: AdmissionPlugin = {
  name: "DenyNodePorts",
  handles: ({ kind, operation, subresource }) =>
    kind.group === "" && kind.plural === "services" && subresource === "" && operation !== "DELETE",
  validate(request) {
    const isOfNodePorts = (service: object | undefined) => (service as Service | undefined)?.spec.type === "NodePort";
    if (!isOfNodePorts(request.object) || isOfNodePorts(request.old)) return;
    throw forbidden(
      request,
      'spec.type: "NodePort" is denied: use "LoadBalancer", which is reached from outside as well, ' +
        "or have the administrator allow node ports (atoll up --node-ports)",
    );
  },
};

type AnyContainer = Container | EphemeralContainer;

/** Who knows an image's name is not thereby allowed to use what another's credentials have fetched. */
const alwaysPullImages: AdmissionPlugin = {
  name: "AlwaysPullImages",
  handles: ({ kind, operation, subresource }) =>
    kind.group === "" &&
    kind.plural === "pods" &&
    (operation === "CREATE" || operation === "UPDATE") &&
    (subresource === "" || subresource === "ephemeralcontainers"),
  mutate({ object, old }) {
    const known = new Set(containersOf(old).map(({ image }) => image));
    for (const container of containersOf(object)) {
      if (!known.has(container.image)) container.imagePullPolicy = "Always";
    }
    if (old !== undefined) return;
    for (const { image } of (object as Pod | undefined)?.spec.volumes ?? []) if (image) image.pullPolicy = "Always";
  },
  validate(request) {
    const known = new Set(containersOf(request.old).map(({ image }) => image));
    const wrong = containersOf(request.object).find(
      ({ image, imagePullPolicy }) => imagePullPolicy !== "Always" && !known.has(image),
    );
    if (wrong === undefined) return;
    const told = `Unsupported value: ${JSON.stringify(wrong.imagePullPolicy ?? "")}: supported values: "Always"`;
    throw forbidden(request, `spec.containers[${wrong.name}].imagePullPolicy: ${told}`);
  },
};

function containersOf(pod: object | undefined): AnyContainer[] {
  const { initContainers, containers, ephemeralContainers } = (pod as Pod | undefined)?.spec ?? {};
  return [initContainers, containers, ephemeralContainers].flatMap((each) => (each ?? []) as AnyContainer[]);
}

/** By name. */
const optional = new Map(
  [denyServiceExternalIPs, denyNodePorts, alwaysPullImages, microPods].map((each) => [each.name, each]),
);

/** Names that may be asked for. */
export const optionalPlugins: readonly string[] = [...optional.keys()];

/** The plugins of the given names. */
export function wantedPlugins(names: readonly string[]): readonly AdmissionPlugin[] {
  return names.flatMap((name) => optional.get(name) ?? []);
}
