/**
 * A pod's guards as chains of nftables. Pure. Going out, a chain returns what it lets through, to be judged further;
 * coming in, it accepts: a policy opens the way as a Service does.
 */
import { hashName } from "../name.ts";
import type { Allowance, Block, Direction, Guard, Ports } from "./guard.ts";

/** The guards of one pod. */
export interface Guards {
  readonly ingress?: Guard | undefined;
  readonly egress?: Guard | undefined;
}

/** Maps of a table from a guarded pod's address to its chain. */
export const guardMaps: Readonly<Record<Direction, string>> = { ingress: "ingress_guards", egress: "egress_guards" };

/** Addresses of pods in flat namespaces. */
export const flatSet = "flat";

/** The one way in which packets are refused. */
export const refusal = "counter name refused_by_pods reject with icmp type admin-prohibited";

/** The chain of a pod's guard. */
const guardChain = (direction: Direction, address: string): string => `${direction}_${hashName(address)}`;

/** The rules of a guard's chain. */
export function guardRules(guard: Guard, direction: Direction): readonly string[] {
  const verdict = direction === "ingress" ? "accept" : "return";
  const lines = guard.allowances.flatMap((allowance) =>
    peerMatches(allowance, direction === "ingress" ? "saddr" : "daddr").flatMap((peer) =>
      portMatches(allowance).map((port) => [peer, port, verdict].filter((part) => part !== "").join(" ")),
    ),
  );
  return [...new Set(lines), refusal];
}

function peerMatches({ peers }: Allowance, field: "saddr" | "daddr"): readonly string[] {
  if (peers === "any") return [""];
  const { addresses, blocks } = peers;
  return [
    ...(addresses.length === 0 ? [] : [`ip ${field} { ${addresses.join(", ")} }`]),
    ...blocks.map((block) => blockMatch(block, field)),
  ];
}

function blockMatch({ cidr, except }: Block, field: string): string {
  return [`ip ${field} ${cidr}`, ...except.map((range) => `ip ${field} != ${range}`)].join(" ");
}

function portMatches({ ports }: Allowance): readonly string[] {
  if (ports === "any") return [""];
  return (["tcp", "udp", "sctp"] as const).flatMap((protocol) => {
    const here = ports.filter((each) => each.protocol === protocol);
    if (here.length === 0) return [];
    if (here.some(({ first }) => first === undefined)) return [`meta l4proto ${protocol}`];
    return [`meta l4proto ${protocol} th dport { ${merged(here).map(spell).join(", ")} }`];
  });
}

type Interval = readonly [first: number, last: number];

/** A set of nftables takes no intervals that overlap. */
function merged(ports: readonly Ports[]): readonly Interval[] {
  const sorted = ports.map(({ first = 0, last = first }): Interval => [first, last]).sort(([a], [b]) => a - b);
  return sorted.reduce<readonly Interval[]>((found, [first, last]) => {
    const before = found.at(-1);
    if (before === undefined || first > before[1] + 1) return [...found, [first, last]];
    return [...found.slice(0, -1), [before[0], Math.max(before[1], last)]];
  }, []);
}

const spell = ([first, last]: Interval): string => (first === last ? `${first}` : `${first}-${last}`);

/** Statements that turn the chain of a guard into another's. */
export function guardDifference(
  table: string,
  { direction, address }: { direction: Direction; address: string },
  { from, to }: { from: readonly string[] | undefined; to: readonly string[] | undefined },
): readonly string[] {
  if (from?.join("\n") === to?.join("\n")) return [];
  const chain = guardChain(direction, address);
  const element = `ip ${table} ${guardMaps[direction]} { ${address} : jump ${chain} }`;
  if (to === undefined) {
    return [`delete element ${element}`, `flush chain ip ${table} ${chain}`, `delete chain ip ${table} ${chain}`];
  }
  const rules = to.map((rule) => `add rule ip ${table} ${chain} ${rule}`);
  if (from !== undefined) return [`flush chain ip ${table} ${chain}`, ...rules];
  return [`add chain ip ${table} ${chain}`, ...rules, `add element ${element}`];
}
