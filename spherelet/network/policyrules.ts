/** NetworkPolicies as the network of one host asks for them. */
import type { PolicySource } from "@atoll/net/host";
import type { PodIdentity } from "@atoll/net/network";
import { policyNamespaceOf, policyOf, policyPodOf } from "@atoll/net/policies/facts";
import { guardOf } from "@atoll/net/policies/guard";
import type { PolicyPod, World } from "@atoll/net/policies/world";
import { type Followed, othersOf } from "./followed.ts";
import { podsElsewhere } from "./others.ts";

/** What NetworkPolicies say of this host's pods, as far as is known now. */
export class PolicyRules implements PolicySource {
  readonly #followed: Followed;
  readonly #node: string;
  /** Pods of this host, known before their addresses are. */
  readonly #expected = new Map<string, PodIdentity>();

  constructor(followed: Followed, node: string) {
    this.#followed = followed;
    this.#node = node;
  }

  expect(pod: PodIdentity): void {
    this.#expected.set(pod.uid, pod);
  }

  forget(uid: string): void {
    this.#expected.delete(uid);
  }

  guardsOf(
    { uid, namespace }: Pick<PodIdentity, "uid" | "namespace">,
    address: string,
  ): ReturnType<PolicySource["guardsOf"]> {
    const world = this.#world();
    if (world.policies.length === 0) return {};
    const known = world.pods.find((pod) => pod.uid === uid);
    const { name = "", labels = {}, ports = [] } = known ?? this.#expected.get(uid) ?? {};
    const pod: PolicyPod = { uid, namespace, name, labels, ports, address };
    return { ingress: guardOf(pod, "ingress", world), egress: guardOf(pod, "egress", world) };
  }

  flat(): ReadonlySet<string> {
    const { pods, namespaces } = this.#world();
    return new Set(
      pods.flatMap(({ namespace, address }) =>
        address !== undefined && namespaces.get(namespace)?.flat === true ? [address] : [],
      ),
    );
  }

  #world(): World {
    const { pods, namespaces, policies } = this.#followed;
    const others = othersOf(this.#followed, this.#node);
    return {
      pods: [...[...pods.values()].map(policyPodOf), ...(others === undefined ? [] : podsElsewhere(others))],
      namespaces: new Map([...namespaces.values()].map((one) => [one.metadata.name ?? "", policyNamespaceOf(one)])),
      policies: [...policies.values()].map(policyOf),
    };
  }
}
