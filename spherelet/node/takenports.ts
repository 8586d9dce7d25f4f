/**
 * Ports at which this host listens itself, told on its Node, so that no LoadBalancer is given one of them at the host's
 * address. What listens on the loopback interface alone is not in anybody's way.
 * Source: proc(5), /proc/net/tcp
 */
import { readFile } from "node:fs/promises";
import { takenPortsAnnotation } from "@atoll/api/supervisor/annotations";
import { Node } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";

const lookMs = 10_000;
const retryMs = 1_000;
const listening = "0A";
/** From here on the kernel lends ports to whoever sends; above, a UDP socket is hardly a service. */
const firstLent = 32_768;

/** Works until the signal aborts. Never rejects. */
export async function tellTakenPorts(
  { client, clock, log, node }: { client: Client; clock: Clock; log: Log; node: string },
  signal: AbortSignal,
): Promise<void> {
  let told: string | undefined;
  while (!signal.aborted) {
    try {
      const ports = await takenPorts();
      if (ports !== told) {
        const patch = {
          type: "merge",
          body: { metadata: { annotations: { [takenPortsAnnotation]: ports } } },
        } as const;
        await client.patch(Node, { key: toKey(undefined, node), patch }, { signal });
        told = ports;
      }
    } catch (error) {
      log.debug("the ports at which the host listens could not be told", { error });
    }
    await clock.sleep(told === undefined ? retryMs : lookMs, signal).catch(() => undefined);
  }
}

async function takenPorts(): Promise<string> {
  const read = async (name: string) => await readFile(`/proc/net/${name}`, "utf8").catch(() => "");
  const [tcp, tcp6, udp, udp6] = await Promise.all(["tcp", "tcp6", "udp", "udp6"].map(read));
  return spellPorts({ tcp: `${tcp}${tcp6}`, udp: `${udp}${udp6}` });
}

/** Of the tables of the kernel, as `22/TCP,53/UDP`. */
export function spellPorts({ tcp, udp }: { readonly tcp: string; readonly udp: string }): string {
  const streams = socketsOf(tcp).filter(({ state }) => state === listening);
  const datagrams = socketsOf(udp).filter(({ port }) => port < firstLent);
  const sorted = (sockets: readonly Socket[]) => [...new Set(sockets.map(({ port }) => port))].sort((a, b) => a - b);
  return [...sorted(streams).map((port) => `${port}/TCP`), ...sorted(datagrams).map((port) => `${port}/UDP`)].join(",");
}

interface Socket {
  readonly port: number;
  readonly state: string;
}

function socketsOf(table: string): readonly Socket[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state = ""] =
      /^\s*\d+:\s+([0-9A-F]+:[0-9A-F]{4})\s+(\S+)\s+([0-9A-F]{2})\s/.exec(line) ?? [];
    const [address = "", port = ""] = local.split(":");
    // Addresses are in words of the processor's order: 127.0.0.1 is 0100007F.
    const isLoopback = /^([0-9A-F]{6}7F|0{24}01000000)$/.test(address);
    return local === "" || isLoopback ? [] : [{ port: Number.parseInt(port, 16), state }];
  });
}
