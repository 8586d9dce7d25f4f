/**
 * A container's environment: the image's, services', envFrom's and its own, each over the ones before.
 * Source: k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), pkg/kubelet/envvars
 */
import type {
  ConfigMap,
  Container,
  EnvVar,
  EphemeralContainer,
  Secret,
  Service,
} from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { expand } from "./expand.ts";
import { configError } from "./failure.ts";
import { containerNamed, fieldOf, type NodeFacts, resourceOf } from "./fields.ts";

/** The objects that a Pod names, as they are now. */
export interface Sources {
  configMap(name: string): Pick<ConfigMap, "data" | "binaryData"> | undefined;
  secret(name: string): Pick<Secret, "data"> | undefined;
}

/** What a container's environment is made of. */
export interface EnvironmentSight {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly sources: Sources;
  readonly facts: NodeFacts;
  /** Variables of services, in order. */
  readonly services: Readonly<Record<string, string>>;
}

/**
 * Names and values that a Pod gives a container.
 * @throws {CannotStart} something it names is not there
 */
export function environmentOf(sight: EnvironmentSight): Map<string, string> {
  const { container, services } = sight;
  const given = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const { prefix = "", configMapRef, secretRef } = source;
    if (configMapRef !== undefined) addAll(given, prefix, configMapData(sight, configMapRef));
    if (secretRef !== undefined) addAll(given, prefix, secretData(sight, secretRef));
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(sight, variable, (name) => given.get(name) ?? services[name]);
    if (value !== undefined) given.set(variable.name, value);
  }
  const all = new Map(Object.entries(services));
  for (const [name, value] of given) all.set(name, value);
  return all;
}

function addAll(into: Map<string, string>, prefix: string, data: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(data)) into.set(`${prefix}${key}`, value);
}

interface Reference {
  readonly name?: string;
  readonly optional?: boolean;
}

function configMapData(
  { sources }: EnvironmentSight,
  { name = "", optional }: Reference,
): Readonly<Record<string, string>> {
  const found = sources.configMap(name);
  if (found === undefined && optional !== true) throw configError(`configmap "${name}" not found`);
  return found?.data ?? {};
}

function secretData(
  { sources }: EnvironmentSight,
  { name = "", optional }: Reference,
): Readonly<Record<string, string>> {
  const found = sources.secret(name);
  if (found === undefined && optional !== true) throw configError(`secret "${name}" not found`);
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decoded(value)]));
}

const decoded = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

function valueOf(
  sight: EnvironmentSight,
  { value, valueFrom }: EnvVar,
  lookUp: (name: string) => string | undefined,
): string | undefined {
  const { pod, container, facts } = sight;
  if (valueFrom === undefined) return expand(value ?? "", lookUp);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath, facts);
  if (resourceFieldRef !== undefined) {
    const { containerName = "" } = resourceFieldRef;
    return resourceOf(containerName === "" ? container : containerNamed(pod, containerName), resourceFieldRef, facts);
  }
  if (configMapKeyRef !== undefined) {
    return keyOf(configMapData(sight, configMapKeyRef), configMapKeyRef, `ConfigMap ${pod.metadata.namespace}`);
  }
  if (secretKeyRef !== undefined) {
    return keyOf(secretData(sight, secretKeyRef), secretKeyRef, `Secret ${pod.metadata.namespace}`);
  }
  return undefined;
}

function keyOf(
  data: Readonly<Record<string, string>>,
  { name, key, optional }: Reference & { readonly key: string },
  where: string,
): string | undefined {
  const value = data[key];
  if (value === undefined && optional !== true) throw configError(`couldn't find key ${key} in ${where}/${name}`);
  return value;
}

/** What of a Service its variables are made of. */
export type ServiceFacts = Pick<Service, "metadata" | "spec">;

/**
 * Variables that tell of services: `WEB_SERVICE_HOST`, `WEB_PORT` and the older ones that Docker's links had.
 * @param services those of the Pod's namespace, if it wants them, and the API's own
 */
export function serviceVariables(services: readonly ServiceFacts[]): Record<string, string> {
  return Object.assign({}, ...services.map(variablesOf)) as Record<string, string>;
}

const spellName = (name: string): string => name.toUpperCase().replaceAll("-", "_");

function variablesOf({ metadata, spec }: ServiceFacts): Record<string, string> {
  const { clusterIP = "" } = spec;
  const ports = spec.ports ?? [];
  const [first] = ports;
  if (clusterIP === "" || clusterIP === "None" || first === undefined) return {};
  const prefix = spellName(metadata.name ?? "");
  const host = clusterIP.includes(":") ? `[${clusterIP}]` : clusterIP;
  const named = ports.filter(({ name = "" }) => name !== "");
  const links = ports.map(({ port, protocol = "TCP" }) => {
    const link = `${prefix}_PORT_${port}_${protocol}`;
    const scheme = protocol.toLowerCase();
    return {
      [link]: `${scheme}://${host}:${port}`,
      [`${link}_PROTO`]: scheme,
      [`${link}_PORT`]: String(port),
      [`${link}_ADDR`]: clusterIP,
    };
  });
  return Object.assign(
    {
      [`${prefix}_SERVICE_HOST`]: clusterIP,
      [`${prefix}_SERVICE_PORT`]: String(first.port),
      [`${prefix}_PORT`]: `${(first.protocol ?? "TCP").toLowerCase()}://${host}:${first.port}`,
    },
    ...named.map(({ name = "", port }) => ({ [`${prefix}_SERVICE_PORT_${spellName(name)}`]: String(port) })),
    ...links,
  ) as Record<string, string>;
}
