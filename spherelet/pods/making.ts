/** What the machine is asked to run: the Pod's words and everything they name, put together. */
import type { ContainerSpec, ProcessSpec } from "@atoll/crx/guest";
import type { StoredImage } from "@atoll/images/store/store";
import { type Cast, containerOf } from "../lifecycle/world.ts";
import { containerSpec } from "../translate/container.ts";
import { environmentOf, serviceVariables } from "../translate/environment.ts";
import { ownName } from "../translate/names.ts";
import type { PodContext } from "./context.ts";
import { imageVolume, type Sandbox } from "./sandbox.ts";

/** @param run names the run in the machine @throws {CannotStart} it makes no sense, or something is missing */
export function makeSpec(
  { host, pod, objects, facts }: PodContext,
  { container }: Cast,
  { image, run, sandbox }: { image: StoredImage; run: string; sandbox: Sandbox },
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
    upper: sandbox.upper,
    environment,
    hostname: ownName(pod, host.clusterDomain),
    machineMemoryBytes: sandbox.memoryBytes,
    seccomp: host.seccomp,
  });
}

/** What a container of an earlier spherelet runs as. @throws {Error} its image is no longer here */
export async function processOf(context: PodContext, cast: Cast, sandbox: Sandbox): Promise<ProcessSpec> {
  const { imageId } = containerOf(context.world, cast.container.name);
  const image = await context.host.imagery.store.find(imageId);
  if (image === undefined) throw new Error(`image ${imageId} is no longer here`);
  await context.objects.known(context.host.clock);
  return makeSpec(context, cast, { image, run: "", sandbox }).process ?? {};
}
