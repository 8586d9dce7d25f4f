/**
 * What was decided for a data directory when it was first brought up, and stays so, because kubeconfigs, Services and pods
 * hold on to it: ports and ranges.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { chance } from "@atoll/machinery/clock";
import { writePrivate } from "@atoll/server/pki/private";
import { freeRange } from "@atoll/net/ranges";

/** Ports and ranges of one system. */
export interface Settings {
  readonly apiPort: number;
  readonly kubeletPort: number;
  /** Where agents of attached clusters come in. */
  readonly gatewayPort: number;
  /** Where people's browsers come in. */
  readonly consolePort: number;
  /** All pods. */
  readonly podCidr: string;
  readonly serviceCidr: string;
}

const usual: Settings = {
  apiPort: 6443,
  kubeletPort: 10250,
  gatewayPort: 7443,
  consolePort: 8443,
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
};
/** Below the ports that Services get of hosts (server/services/allocation.ts). */
const others = { first: 20_000, count: 10_000 } as const;
const podRanges = Array.from({ length: 8 }, (_, index) => `10.${244 + index}.0.0/16`);

const file = (data: string): string => join(data, "settings.json");

/**
 * What is given counts, then what was before, then what is usual, or free where the usual is taken. A port that was taken
 * meanwhile gives way too, unless it was given.
 */
export async function settle(data: string, bind: string, given: Partial<Settings>): Promise<Settings> {
  const kept = await read(data);
  const before = { ...usual, ...kept };
  const settings: Settings = {
    apiPort: await givenPort(bind, given.apiPort, before.apiPort),
    kubeletPort: await givenPort("0.0.0.0", given.kubeletPort, before.kubeletPort),
    gatewayPort: await givenPort(bind, given.gatewayPort, before.gatewayPort),
    consolePort: await givenPort(bind, given.consolePort, before.consolePort),
    podCidr: given.podCidr ?? kept?.podCidr ?? (await usualPods()),
    serviceCidr: given.serviceCidr ?? before.serviceCidr,
  };
  await writePrivate(file(data), `${JSON.stringify(settings, undefined, 2)}\n`);
  return settings;
}

/** What counts before anything is tried: what was settled before, else what is usual. */
export async function planned(data: string): Promise<Settings> {
  return { ...usual, ...(await read(data)) };
}

/** Another data directory's pods may have the usual range. */
async function usualPods(): Promise<string> {
  return process.getuid?.() === 0 ? await freeRange(podRanges) : usual.podCidr;
}

async function read(data: string): Promise<Settings | undefined> {
  const text = await readFile(file(data), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Settings);
}

/** What is given counts, 0 for any that is free; else the wanted one, or any when it is taken. */
export async function givenPort(bind: string, given: number | undefined, wanted: number): Promise<number> {
  if (given !== undefined && given !== 0) return given;
  const usable = given === 0 ? undefined : await tryPort(bind, wanted);
  return usable ?? (await anyPort(bind));
}

/** Below those that the kernel gives to connections going out, one of which might take it meanwhile. */
async function anyPort(bind: string): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = await tryPort(bind, others.first + Math.floor(chance() * others.count));
    if (port !== undefined) return port;
  }
  return 0;
}

async function tryPort(bind: string, wanted: number): Promise<number | undefined> {
  return await new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(undefined));
    probe.listen(wanted, bind, () => {
      const bound = probe.address();
      probe.close(() => done(typeof bound === "object" ? bound?.port : undefined));
    });
  });
}
