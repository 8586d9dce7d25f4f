/** `atoll why POD-A POD-B:PORT`: what lets one pod reach another, or refuses it. */
import { isIPv4 } from "node:net";
import { EndpointSlice, Namespace, NetworkPolicy, Pod, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { judge, judgeOutside } from "@atoll/net/policies/verdict";
import type { PolicyPod, World } from "@atoll/net/policies/world";
import type { ServiceSpec } from "@atoll/net/services/service";
import { policyNamespaceOf, policyOf, policyPodOf } from "@atoll/net/policies/facts";
import { ruleSpecOf, sliceOwnerLabel } from "@atoll/spherelet/network/services";
import { UsageError } from "../flags.ts";
import { withHub } from "../hub.ts";
import type { WhyOptions } from "./options.ts";

/**
 * @returns whether it is let through, and what to tell people
 * @throws {UsageError} there is no such pod or port
 */
export async function whyConnection(
  kubeconfig: string,
  { from, reached }: { readonly from: string; readonly reached: string },
  { namespace, udp = false }: WhyOptions,
): Promise<{ readonly allowed: boolean; readonly text: string }> {
  const [, to = "", port = ""] = /^(.+):([^:]+)$/.exec(reached) ?? [];
  if (port === "") throw new UsageError(`${reached}: which port? ./atoll why POD-A POD-B:PORT`);
  return await withHub(kubeconfig, async (client) => {
    const { world, services } = await look(client);
    const protocol = udp ? "udp" : "tcp";
    const target = find(to, namespace, world);
    const number = portOf(target, port, protocol);
    const spell = (pod: PolicyPod) => `${pod.namespace}/${pod.name}`;
    const told = (who: string, { allowed, because }: ReturnType<typeof judge>) => {
      const what = `${who} to ${spell(target)} at ${protocol}/${number}`;
      return { allowed, text: `${what}: ${allowed ? "let through" : "refused"}\n  ${because}\n` };
    };
    if (isIPv4(from)) {
      const question = { address: from, to: target, protocol, port: number } as const;
      return told(from, judgeOutside(question, world, services));
    }
    const question = { from: find(from, namespace, world), to: target, protocol, port: number } as const;
    return told(spell(question.from), judge(question, world, services));
  });
}

async function look(client: Client): Promise<{ world: World; services: readonly ServiceSpec[] }> {
  const [pods, namespaces, policies, services, slices] = await Promise.all([
    client.list(Pod),
    client.list(Namespace),
    client.list(NetworkPolicy),
    client.list(Service),
    client.list(EndpointSlice),
  ]);
  const world = {
    pods: pods.items.map(policyPodOf),
    namespaces: new Map(namespaces.items.map((one) => [one.metadata.name ?? "", policyNamespaceOf(one)])),
    policies: policies.items.map(policyOf),
  };
  const specs = services.items.flatMap((service) => {
    const own = slices.items.filter(
      ({ metadata }) =>
        metadata.namespace === service.metadata.namespace &&
        metadata.labels?.[sliceOwnerLabel] === service.metadata.name,
    );
    return ruleSpecOf(service, own) ?? [];
  });
  return { world, services: specs };
}

function find(text: string, usual: string, { pods }: World): PolicyPod {
  const parts = text.replace(/^pods?\//, "").split("/");
  const [namespace, name] = parts.length > 1 ? parts : [usual, parts[0]];
  const found = pods.find((pod) => pod.namespace === namespace && pod.name === name);
  if (found === undefined) throw new UsageError(`there is no pod ${name} in namespace ${namespace}`);
  return found;
}

function portOf({ name, ports }: PolicyPod, text: string, protocol: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const found = ports.find((port) => port.name === text && port.protocol.toLowerCase() === protocol);
  if (found === undefined) throw new UsageError(`pod ${name} has no port ${text}; say its number`);
  return found.port;
}
