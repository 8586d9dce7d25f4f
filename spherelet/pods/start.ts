/** A Pod's machine, started with whatever of it is at hand: what takes longer is added while it runs. */
import type { StoredImage } from "@atoll/images/store/store";
import type { Attachment } from "@atoll/net/network";
import { blockSlots } from "@atoll/crx/spec";
import { endsWithin } from "@atoll/machinery/clock";
import { identityOf } from "../network/policies.ts";
import { castOf } from "../lifecycle/world.ts";
import { hostsFile, ownName, resolvFile } from "../translate/names.ts";
import { ownVolumes } from "../translate/container.ts";
import { type MachineSize, machineSize, scratchBytes } from "../translate/resources.ts";
import { ownDisk } from "../volumes/owndisk.ts";
import type { PodContext } from "./context.ts";
import type { PodHost } from "./host.ts";
import { imageAtHand } from "./imagery.ts";
import { Sandbox } from "./sandbox.ts";

const templatePatienceMs = 10_000;

/** A machine and its place in the network. */
export interface Started {
  readonly sandbox: Sandbox;
  readonly attachment: Attachment | undefined;
}

/** @param number of the Pod's machine, from 1 @throws {StartFailed} and whatever the network throws */
export async function startSandbox(context: PodContext, number: number): Promise<Started> {
  const { host, pod } = context;
  const { uid = "", namespace = "", name } = pod.metadata;
  const size = machineSize(pod.spec, host.largest);
  const [attachment, images, scratch] = await Promise.all([
    host.network?.attach(identityOf(pod)),
    imagesAtHand(context),
    context.save().then(async () => await scratchDisk(context)),
    templateOf(host, size),
  ]);
  const names = {
    podIP: attachment?.address ?? "",
    clusterDomain: host.clusterDomain,
    clusterDns: attachment?.dns ?? [],
    hostResolv: host.hostResolv,
  };
  const files = {
    hosts: hostsFile(pod, names),
    "resolv.conf": resolvFile(pod, names),
    hostname: `${ownName(pod, host.clusterDomain)}\n`,
  };
  const id = `${uid}-${number}`;
  try {
    const sysctls = pod.spec.securityContext?.sysctls ?? [];
    const spec = { id, owner: `${namespace}/${name}`, size, scratch, images, attachment, files, sysctls };
    return { sandbox: await Sandbox.start(host.machines, spec), attachment };
  } catch (error) {
    const machine = host.machines.get(id);
    if (machine !== undefined) {
      await machine.kill();
      await host.machines.remove(machine);
    }
    throw error;
  }
}

/** The first machine of a size waits for its template, as all others do then; but not for long, since it can boot. */
async function templateOf({ machines, clock }: PodHost, size: MachineSize): Promise<void> {
  await endsWithin(clock, templatePatienceMs, machines.templates.ensure(size)).catch(() => undefined);
}

/** Only disks that a machine has from the start are cheap; the others come when their container starts. */
async function imagesAtHand({ host, pod }: PodContext): Promise<readonly StoredImage[]> {
  const found = await Promise.all(castOf(pod).map(({ container }) => imageAtHand(host.imagery, container)));
  const unique = new Map(found.flatMap((image) => (image === undefined ? [] : [[image.stack, image] as const])));
  return [...unique.values()].slice(0, blockSlots - 1);
}

/** What containers write and emptyDir volumes hold lives as long as the Pod does on this node. */
async function scratchDisk({ folder, pod }: PodContext): Promise<string> {
  return await ownDisk(folder, ownVolumes.scratch, scratchBytes(pod.spec));
}
