/**
 * UDP has no connections, but the kernel remembers where a caller's packets were led, as long as they keep coming: to an
 * endpoint that is gone, or past a Service that had none. Whatever leads elsewhere than its Service now does is forgotten, so
 * that the next packet is led anew. TCP needs none of it: its caller learns of the end, and connects anew.
 * Sources: conntrack(8); k8s.io/kubernetes/pkg/proxy/conntrack/cleanup.go (which flows are stale)
 */
import { networkInterfaces } from "node:os";
import { ProgramFailed, run } from "../run.ts";
import type { HostService } from "../ruleset.ts";
import type { Endpoint, ServiceSpec } from "./service.ts";

/** Where callers over UDP are led, by what they call: address and port, or `*` and a port of the host's own. */
export type Ways = ReadonlyMap<string, ReadonlySet<string>>;

/** A flow as the kernel remembers it. */
interface Flow {
  readonly from: Endpoint;
  readonly called: Endpoint;
  readonly led: Endpoint;
}

const nowhere: Ways = new Map();
const word = ({ address, port }: Endpoint): string => `${address} ${port}`;
const words = (endpoints: readonly Endpoint[]): ReadonlySet<string> => new Set(endpoints.map(word));

/** Ways over UDP into a Service. */
export function waysOf({ addresses, ports }: ServiceSpec): Ways {
  const ways = new Map<string, ReadonlySet<string>>();
  for (const { protocol, port, endpoints, outside } of ports) {
    if (protocol !== "udp") continue;
    const all = words(endpoints);
    const local = words(outside?.local ?? []);
    for (const address of addresses) ways.set(word({ address, port }), all);
    // Those inside are led to all of them, also where those outside are not.
    for (const each of outside?.balanced ?? []) ways.set(word(each), all.union(local));
    if (outside?.nodePort !== undefined)
      ways.set(word({ address: "*", port: outside.nodePort }), outside.local === undefined ? all : local);
  }
  return ways;
}

/** What callers are led by, and to have it so. */
export class Flows {
  readonly #ways = new Map<string, Ways>();

  /**
   * Forgets flows that go elsewhere than these ways, and were led by others before.
   * @param service `namespace/name`
   * @throws {ProgramFailed} and may be asked again
   */
  async follow(service: string, to: Ways): Promise<void> {
    const from = this.#ways.get(service) ?? nowhere;
    const changed = [...new Set([...from.keys(), ...to.keys()])].filter((called) =>
      isOther(from.get(called), to.get(called)),
    );
    for (const called of changed) {
      const [address = "", port = ""] = called.split(" ");
      const of = address === "*" ? [] : ["--orig-dst", address];
      const flows = await list([...of, "--orig-port-dst", port]);
      const others = flows.filter((flow) => address !== "*" || isDivertedOrOwn(flow));
      await forget(others.filter(({ led }) => to.get(called)?.has(word(led)) !== true));
    }
    if (to.size === 0) this.#ways.delete(service);
    else this.#ways.set(service, to);
  }

  /** Forgets all that was led elsewhere while nobody followed. @throws {ProgramFailed} */
  async begin(services: ReadonlyMap<string, Ways>, hostServices: readonly HostService[]): Promise<void> {
    this.#ways.clear();
    const known = new Map(hostServices.map(({ virtual, target }) => [word(virtual), words([target])]));
    const all = [known, ...services.values()].flatMap((ways) => [...ways]);
    for (const [service, ways] of services) if (ways.size > 0) this.#ways.set(service, ways);
    if (all.length === 0) return;
    const ways: Ways = new Map(all);
    const flows = await list([]);
    await forget(
      flows.filter((flow) => {
        const allowed =
          ways.get(word(flow.called)) ?? (isDivertedOrOwn(flow) ? ways.get(`* ${flow.called.port}`) : undefined);
        return allowed !== undefined && !allowed.has(word(flow.led));
      }),
    );
  }
}

/** Whether a flow of before may be wrong now: it was led to what is none any more, or past what was none before. */
function isOther(from: ReadonlySet<string> = new Set(), to: ReadonlySet<string> = new Set()): boolean {
  return [...from].some((each) => !to.has(each)) || (from.size === 0 && to.size > 0);
}

/** What only passes this host, to a port of the same number elsewhere, is nobody's here. */
function isDivertedOrOwn({ called, led }: Flow): boolean {
  if (called.address !== led.address) return true;
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  return own.includes(called.address);
}

async function list(which: readonly string[]): Promise<readonly Flow[]> {
  const text = await run("conntrack", ["-L", "-f", "ipv4", "-p", "udp", ...which]);
  return text.split("\n").flatMap((line) => parse(line) ?? []);
}

const pattern = /src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+).*? src=(\S+) dst=\S+ sport=(\d+) dport=\d+/;

/** A line has the way there, then the way back. */
function parse(line: string): Flow | undefined {
  const [, source = "", called = "", sourcePort, calledPort, led = "", ledPort] = pattern.exec(line) ?? [];
  if (ledPort === undefined) return undefined;
  return {
    from: { address: source, port: Number(sourcePort) },
    called: { address: called, port: Number(calledPort) },
    led: { address: led, port: Number(ledPort) },
  };
}

async function forget(flows: readonly Flow[]): Promise<void> {
  for (const { from, called } of flows) {
    const there = ["--orig-src", from.address, "--orig-dst", called.address];
    const ports = ["--orig-port-src", String(from.port), "--orig-port-dst", String(called.port)];
    await run("conntrack", ["-D", "-f", "ipv4", "-p", "udp", ...there, ...ports]).catch((error: unknown) => {
      // It may be over by itself.
      if (!(error instanceof ProgramFailed) || !error.message.includes("0 flow entries")) throw error;
    });
  }
}
