/** Whether one pod reaches another's port, and what decides it: the words for what the rules do. Pure. */
import { parseAddress } from "../address.ts";
import type { Protocol } from "../ruleset.ts";
import { type OutsideWay, serviceKey, type ServiceSpec } from "../services/service.ts";
import { type Guard, guardOf, letsThrough } from "./guard.ts";
import type { PolicyPod, World } from "./world.ts";

/** What decides, in a sentence. */
export interface Verdict {
  readonly allowed: boolean;
  readonly because: string;
}

/** A connection that somebody asks about. */
export interface Question {
  readonly from: PolicyPod;
  readonly to: PolicyPod;
  readonly protocol: Protocol;
  readonly port: number;
}

/** Judges a connection between two pods as the rules of their hosts do: going out, coming in, then ways that are open. */
export function judge(question: Question, world: World, services: readonly ServiceSpec[]): Verdict {
  const { from, to, protocol, port } = question;
  const [fromAddress, address] = [from.address, to.address];
  if (address === undefined) return no(`${spell(to)} has no address: it does not run`);
  if (fromAddress === undefined) return no(`${spell(from)} has no address: it does not run`);
  if (from.uid === to.uid) return yes("it is the same pod");
  const out = guardOf(from, "egress", world);
  if (out !== undefined && letsThrough(out, { peer: address, protocol, port }) === undefined)
    return no(
      `${named(out, from)} about ${spell(from)} going out let nothing through to ${address} at ${protocol}/${port}`,
    );
  const into = guardOf(to, "ingress", world);
  if (into !== undefined) {
    const allowance = letsThrough(into, { peer: fromAddress, protocol, port });
    if (allowance !== undefined) return yes(`NetworkPolicy ${to.namespace}/${allowance.policy} lets it in`);
    return no(
      `${named(into, to)} about ${spell(to)} coming in let nothing through from ${fromAddress} at ${protocol}/${port}`,
    );
  }
  const isFlat = ({ namespace }: PolicyPod) => world.namespaces.get(namespace)?.flat === true;
  if (isFlat(from) && isFlat(to)) return yes(`the namespaces ${both(from, to)} are flat`);
  return byServices(question, address, services);
}

/** Somebody outside the pods' network who asks for a pod. */
export interface QuestionFromOutside extends Omit<Question, "from"> {
  /** Whose address it is. */
  readonly address: string;
}

/** Judges a connection from outside: only by a Service that lets those outside in, and past what policies say. */
export function judgeOutside(question: QuestionFromOutside, world: World, services: readonly ServiceSpec[]): Verdict {
  const { address: peer, to, protocol, port } = question;
  const { address } = to;
  if (address === undefined) return no(`${spell(to)} has no address: it does not run`);
  const ways = services.flatMap((service) =>
    service.ports.flatMap((one) => {
      const leads = one.protocol === protocol && one.endpoints.some((at) => at.address === address && at.port === port);
      return leads && one.outside !== undefined ? [{ service, way: one.outside }] : [];
    }),
  );
  const way = ways.find(({ way: { sourceRanges } }) => sourceRanges?.some((range) => contains(range, peer)) ?? true);
  const [other] = ways;
  if (way === undefined && other !== undefined)
    return no(
      `Service ${serviceKey(other.service)} lets those outside in, but ${peer} is in none of its source ranges`,
    );
  if (way === undefined)
    return no(
      `those outside reach pods by a LoadBalancer's address or a node port alone, and none leads to ${protocol}/${port} of ${spell(to)}${throughGateway({ address, protocol, port }, services)}`,
    );
  const into = guardOf(to, "ingress", world);
  if (into !== undefined && letsThrough(into, { peer, protocol, port }) === undefined)
    return no(
      `${named(into, to)} about ${spell(to)} coming in let nothing through from ${peer} at ${protocol}/${port}`,
    );
  return yes(`Service ${serviceKey(way.service)} lets those outside in ${at(way.way)}`);
}

/** Word of the other way in. */
function throughGateway(
  { address, protocol, port }: { readonly address: string; readonly protocol: Protocol; readonly port: number },
  services: readonly ServiceSpec[],
): string {
  const routed = services.find(
    ({ ports, routedBy }) =>
      routedBy !== undefined &&
      ports.some(
        (one) => one.protocol === protocol && one.endpoints.some((at) => at.address === address && at.port === port),
      ),
  );
  return routed === undefined ? "" : `; by the gateway ${routed.routedBy} leads to it`;
}

const at = ({ balanced, nodePort }: OutsideWay): string =>
  [
    ...balanced.map(({ address, port }) => `at ${address}:${port}`),
    ...(nodePort === undefined ? [] : [`by node port ${nodePort}`]),
  ].join(" and ");

/** Bits beyond the length do not count, as for the rules: 10.0.0.5/8 is 10.0.0.0/8. */
function contains(range: string, address: string): boolean {
  const [first = "", length = "32"] = range.split("/");
  const size = 2 ** (32 - Number(length));
  return Math.floor(parseAddress(address) / size) === Math.floor(parseAddress(first) / size);
}

function byServices(
  { from, to, protocol, port }: Question,
  address: string,
  services: readonly ServiceSpec[],
): Verdict {
  const leading = services.filter(({ ports }) =>
    ports.some(
      (one) =>
        one.protocol === protocol &&
        [...one.endpoints, ...(one.standby ?? [])].some((each) => each.address === address && each.port === port),
    ),
  );
  const open = leading.find(({ namespace, exportedTo = [] }) => [namespace, ...exportedTo].includes(from.namespace));
  if (open !== undefined)
    return yes(
      `Service ${serviceKey(open)} opens the way to ${protocol}/${port} of its endpoints${routeTo(open, from)}`,
    );
  const [other] = leading;
  if (other !== undefined)
    return no(
      `Service ${serviceKey(other)} leads there, for pods of ${other.namespace} alone; it is not exported to ${from.namespace}`,
    );
  return no(
    `pods do not reach each other but through a Service, and none leads to ${protocol}/${port} of ${spell(to)}; no NetworkPolicy opens it`,
  );
}

/** The gateway's pods are let in for what leads there. */
const routeTo = ({ namespace, routedBy }: ServiceSpec, from: PolicyPod): string =>
  routedBy === undefined || from.namespace === namespace ? "" : `, for ${routedBy} leads the gateway there`;

const yes = (because: string): Verdict => ({ allowed: true, because });
const no = (because: string): Verdict => ({ allowed: false, because });
const spell = ({ namespace, name }: PolicyPod): string => `${namespace}/${name}`;
const both = (a: PolicyPod, b: PolicyPod): string => [...new Set([a.namespace, b.namespace])].join(" and ");

function named({ policies }: Guard, { namespace }: PolicyPod): string {
  const list = policies.map((name) => `${namespace}/${name}`).join(", ");
  return `${policies.length === 1 ? "NetworkPolicy" : "NetworkPolicies"} ${list}`;
}
