/**
 * What aggregated API servers must know to trust this one: the authorities of clients and of the front proxy, and the
 * headers that identities are told in.
 * Source: k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust
 */
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { proxyNames } from "../authenticate/frontproxy.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { clone } from "../registry/versions.ts";
import { isPlanted, plant } from "./plant.ts";

const place = { namespace: "kube-system", name: "extension-apiserver-authentication" };

/** Publishes the ConfigMap, and keeps what others put in it. */
export async function ensureExtensionAuthentication(
  catalogue: Catalogue,
  clock: Clock,
  { clientCa, frontProxyCa }: { clientCa: string; frontProxyCa: string },
): Promise<void> {
  const configMaps = catalogue.resource("", "configmaps");
  if (configMaps === undefined) return;
  const data = dataOf(clientCa, frontProxyCa);
  await configMaps.cache.current();
  if (!isPlanted(configMaps, place.namespace, place.name)) {
    const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { ...place }, data };
    if (await plant(configMaps, object, formatTime(clock.nowMs()))) return;
  }
  await configMaps.update(place, ({ object }) => {
    const next: ApiObject = { ...clone(object), data: { ...(object["data"] as object | undefined), ...data } };
    return deepEqual(next["data"], object["data"]) ? "unchanged" : { object: next };
  });
}

function dataOf(clientCa: string, frontProxyCa: string): Record<string, string> {
  return {
    "client-ca-file": clientCa,
    "requestheader-allowed-names": JSON.stringify(proxyNames),
    "requestheader-client-ca-file": frontProxyCa,
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    "requestheader-username-headers": '["X-Remote-User"]',
  };
}
