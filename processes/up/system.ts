/** The whole system on this machine: its parts, what they need of the host, and a first pod. */
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { formatRange, parseRange } from "@atoll/net/address";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { Children } from "./children.ts";
import { consoleLink } from "../console.ts";
import { readKubeconfig } from "../kubeconfig.ts";
import { accountOf, consolePart, controllersPart, gatewayPart, serverPart, sphereletPart, type Wish } from "./parts.ts";
import { prepareGuests, preparePackages } from "./preparation.ts";
import { endOrphans, type UpRecord } from "./running.ts";
import { settle, type Settings } from "./settings.ts";
import { step } from "./steps.ts";
import { createDefaultStoragePolicy } from "./storagepolicy.ts";
import { atollVersion } from "../version.ts";
import type { StoreFlags } from "../storeflags.ts";
import {
  buildWelcomeImage,
  createWelcomePod,
  readyPods,
  untilNodeServes,
  untilWelcomePodReady,
  welcomePod,
} from "./welcome.ts";

/** What the system is to be. */
export interface SystemOptions extends Partial<Settings>, StoreFlags {
  readonly data: string;
  readonly bind: string;
  readonly demo: boolean;
  readonly nodePorts?: boolean;
  readonly gatewayAddress?: string;
  readonly loadBalancerPool?: string;
}

/**
 * Runs the system until it is told to stop. What does not wait for each other is started at the same time:
 *
 *   server ───────────────┬──▶ controllers, gateway
 *   packages ─▶ guests ───┼──▶ node (does not wait for a server that it knows) ──▶ pods
 *          └──▶ image ────┘
 */
export class System {
  readonly #options: SystemOptions;
  readonly #data: string;
  readonly #hasPods = process.getuid?.() === 0;
  readonly #known: UpRecord | undefined;
  readonly #children: Children;

  /** @param known what an `up` that did not end in order left running */
  constructor(options: SystemOptions, known: UpRecord | undefined) {
    this.#options = options;
    this.#data = options.data;
    this.#known = known;
    this.#children = new Children(options.data);
  }

  /** Resolves with the exit code, when everything has ended. */
  async run(): Promise<number> {
    await this.#children.run(async () => await this.#start());
    return 0;
  }

  async #start(): Promise<undefined> {
    const { data, bind } = this.#options;
    await endOrphans(this.#known);
    const settings = await settle(data, bind, this.#options);
    const { apiPort, serviceCidr, podCidr, gatewayPort, consolePort } = settings;
    const wish: Wish = { ...this.#options, apiPort, serviceCidr, podCidr, gatewayPort, consolePort };
    const serving = this.#children.start(serverPart(wish));
    const packages = this.#hasPods ? preparePackages() : Promise.resolve();
    const isKnown = await this.#isKnown(wish);
    const node = async () => {
      await packages;
      await Promise.all([prepareGuests(data), isKnown ? undefined : serving]);
      await this.#startSpherelet(wish, settings);
    };
    const nodeStarts = this.#hasPods ? node() : Promise.resolve();
    const rest = async () => {
      // A system that was there has its pods before anything else: the others would only take their processor time.
      await (isKnown ? Promise.all([serving, nodeStarts]) : serving);
      const parts = [controllersPart(wish), gatewayPart(wish), consolePart(wish)];
      await Promise.all(parts.map(async (part) => await this.#children.start(part)));
    };
    const image = async () => {
      await packages;
      await hopefully("image of the welcome pod", async () => await buildWelcomeImage(data));
    };
    const work = [rest(), nodeStarts, ...(this.#hasDemo ? [image()] : [])];
    await Promise.all([serving, packages, ...work]);
    if (this.#hasPods) await this.#welcome();
    const link = await consoleLink(data, `https://${bind === "0.0.0.0" ? "127.0.0.1" : bind}:${consolePort}`);
    process.stdout.write(lastLines({ data, url: (await serving).readyText, link, hasDemo: this.#hasDemo }));
  }

  get #hasDemo(): boolean {
    return this.#hasPods && this.#options.demo;
  }

  /** Whether the node has from an earlier start what it needs to speak to the server, which then need not be waited for. */
  async #isKnown({ data, bind, apiPort }: Wish): Promise<boolean> {
    const [node, admin] = await Promise.all(
      [accountOf(data, "node"), join(data, "admin.kubeconfig")].map(async (path) => await readKubeconfig(path)),
    );
    const ca = await readFile(join(data, "pki", "ca.crt"), "utf8").catch(() => "");
    const isSame = node?.server === admin?.server && node?.ca === ca && admin?.ca === ca;
    return isSame && bind === "127.0.0.1" && node?.server === `https://${bind}:${apiPort}`;
  }

  async #startSpherelet({ data, serviceCidr }: Wish, { podCidr, kubeletPort }: Settings): Promise<void> {
    const ranges = { pods: firstHosts(podCidr), cluster: podCidr, services: serviceCidr };
    await this.#children.start(sphereletPart({ data, name: nodeName(), kubeletPort, ranges }));
  }

  /** The welcome pod, and word of the others. */
  async #welcome(): Promise<void> {
    const { client, close } = await this.#client();
    try {
      await createDefaultStoragePolicy(client);
      if (this.#options.demo) {
        const { namespace, name } = welcomePod;
        await hopefully(`pod ${namespace}/${name}, a machine of its own`, async () => {
          await createWelcomePod(client);
          await untilWelcomePodReady(client);
        });
      }
      await hopefully("the node's own API", async () => await untilNodeServes(client, nodeName()));
      const { ready, all } = await readyPods(client, nodeName());
      if (all > 0) process.stdout.write(`  pods ready: ${ready} of ${all}\n`);
    } finally {
      close();
    }
  }

  async #client(): Promise<{ client: Client; close(): void }> {
    const path = join(this.#data, "admin.kubeconfig");
    const { transport } = await openKubeconfig({ path, clock: systemClock });
    const client = new Client({ transport, clock: systemClock, userAgent: `atoll-up/${atollVersion}` });
    return { client, close: () => transport.close() };
  }
}

const nodeName = (): string => hostname().toLowerCase();

/** A step that the rest can do without. */
async function hopefully(title: string, work: () => Promise<unknown>): Promise<void> {
  await step(title, work).catch((error: unknown) => {
    process.stdout.write(
      `    ${error instanceof Error ? error.message : String(error)}; kubectl describe pods tells more\n`,
    );
  });
}

/** What of the pods' range is this host's: a share that leaves room for other hosts. */
function firstHosts(podCidr: string): string {
  const range = parseRange(podCidr);
  return formatRange({ ...range, length: Math.max(range.length, 24) });
}

interface LastWords {
  readonly data: string;
  readonly url: string;
  readonly link: string;
  readonly hasDemo: boolean;
}

function lastLines({ data, url, link, hasDemo }: LastWords): string {
  const { namespace, name } = welcomePod;
  const next = hasDemo
    ? [
        `kubectl get pods -A -o wide`,
        `kubectl -n ${namespace} logs ${name}`,
        `kubectl -n ${namespace} exec -it ${name} -- sh`,
      ]
    : [
        "kubectl get nodes",
        "kubectl create configmap hello --from-literal=who=world",
        "kubectl get configmap hello -o yaml",
      ];
  return [
    "",
    `Atoll is up at ${url}`,
    "",
    "The console, signed in by this link, once, within ten minutes (./atoll console link makes another):",
    `  ${link}`,
    "",
    "Try next (./atoll kubectl is there for who has no kubectl):",
    `  export KUBECONFIG=${join(data, "admin.kubeconfig")}`,
    ...next.map((line) => `  ${line}`),
    "",
    `To stop: Ctrl-C, or ./atoll down --data ${data}`,
    "",
  ].join("\n");
}
