/** What the machine is asked to run: the Pod's words and everything they name, put together. */
import type { ContainerSpec, ProcessSpec } from "@atoll/crx/guest";
import type { StoredImage } from "@atoll/images/store/store";
import { type Cast, containerOf } from "../lifecycle/world.ts";
import { containerSpec } from "../translate/container.ts";
import { environmentOf, serviceVariables } from "../translate/environment.ts";
import { ownName } from "../translate/names.ts";
import type { PodContext } from "./context.ts";
import { type ImageWish, obtainImage } from "./imagery.ts";
import { imageVolume, type Sandbox } from "./sandbox.ts";

/** What a container is made of besides the Pod. */
export interface Making {
  readonly image: StoredImage;
  /** Names the run in the machine. */
  readonly run: string;
  readonly sandbox: Sandbox;
  /** Guest volumes of image volumes, by the volume's name. */
  readonly imageVolumes?: ReadonlyMap<string, string>;
}

/** @throws {CannotStart} it makes no sense, or something is missing */
export function makeSpec(
  { host, pod, objects, facts }: PodContext,
  { container }: Cast,
  { image, run, sandbox, imageVolumes }: Making,
): ContainerSpec {
  const { namespace = "" } = pod.metadata;
  const environment = environmentOf({
    pod,
    container,
    sources: objects,
    facts: facts(),
    services: serviceVariables(host.services(pod.spec.enableServiceLinks === false ? "" : namespace)),
  });
  return containerSpec({
    pod,
    container,
    run,
    image: { config: image.config, volume: imageVolume(image) },
    ...(imageVolumes === undefined ? {} : { imageVolumes }),
    upper: sandbox.upper,
    environment,
    hostname: ownName(pod, host.clusterDomain),
    machineMemoryBytes: sandbox.memoryBytes,
    seccomp: host.seccomp,
  });
}

/** The images that a container mounts as volumes, pulled and there. @returns guest volumes by the volume's name */
export async function mountImageVolumes(
  { host, pod }: PodContext,
  sandbox: Sandbox,
  wish: ImageWish,
): Promise<ReadonlyMap<string, string>> {
  const mounted = new Map<string, string>();
  const names = new Set((wish.container.volumeMounts ?? []).map(({ name }) => name));
  for (const { name, image } of pod.spec.volumes ?? []) {
    if (image === undefined || !names.has(name)) continue;
    const { reference = "", pullPolicy = "IfNotPresent" } = image;
    const container = { ...wish.container, image: reference, imagePullPolicy: pullPolicy };
    mounted.set(name, await sandbox.mountImage(await obtainImage(host.imagery, { ...wish, container })));
  }
  return mounted;
}

/** What a container of an earlier spherelet runs as. @throws {Error} its image is no longer here */
export async function processOf(context: PodContext, cast: Cast, sandbox: Sandbox): Promise<ProcessSpec> {
  const { imageId } = containerOf(context.world, cast.container.name);
  const image = await context.host.imagery.store.find(imageId);
  if (image === undefined) throw new Error(`image ${imageId} is no longer here`);
  await context.objects.known(context.host.clock);
  return makeSpec(context, cast, { image, run: "", sandbox }).process ?? {};
}
