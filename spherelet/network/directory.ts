/** What cluster DNS knows, from the Services that a node follows. */
import type { EndpointSlice, Namespace, Service } from "@atoll/client/builtin";
import type { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import type { Directory } from "@atoll/net/dns/zone";
import { endpointNamesOf, namesOf } from "./services.ts";

/** What is followed, with the indexes `address` and, of slices, `service`. */
interface Known {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly namespaces: Informer<Namespace>;
}

/** Slices of a Service. @param service `namespace/name` */
export const slicesOf = ({ slices }: Pick<Known, "slices">, service: string): readonly EndpointSlice[] => [
  ...slices.by("service", service),
];

/** Names as Services and their endpoints are now. @param domain of the cluster */
export function directoryOf(followed: Known, domain: string): Directory {
  const { services, slices, namespaces } = followed;
  return {
    service(namespace, name) {
      const found = services.get(toKey(namespace, name));
      return found === undefined ? undefined : namesOf(found, slicesOf(followed, `${namespace}/${name}`));
    },
    hasNamespace: (name) => namespaces.get(toKey("", name)) !== undefined,
    namesOf(address) {
      const own = [...services.by("address", address)].map(
        ({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${domain}`,
      );
      return own.length > 0
        ? own
        : [...slices.by("address", address)].flatMap((slice) => endpointNamesOf(slice, address, domain));
    },
  };
}
