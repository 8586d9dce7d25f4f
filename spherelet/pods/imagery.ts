/**
 * Images for containers, by their pull policy, with the events and waiting states that people know.
 * Source: k8s.io/kubernetes/pkg/kubelet/images (image_manager.go)
 */
import type { Container, EphemeralContainer } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { ImagePullFailed } from "@atoll/images/errors";
import type { ImagePuller } from "@atoll/images/pull";
import { type Keyring, keyringOf } from "@atoll/images/registry/keyring";
import type { ImageStore, StoredImage } from "@atoll/images/store/store";
import type { Clock } from "@atoll/machinery/clock";
import type { Happening } from "@atoll/runtime/events";
import type { Sources } from "../translate/environment.ts";
import { CannotStart } from "../translate/failure.ts";

/** Where images come from. */
export interface Imagery {
  readonly store: ImageStore;
  readonly puller: ImagePuller;
  readonly clock: Clock;
  /** Images that hosts make by themselves instead of pulling them. */
  readonly ownImages?: OwnImages;
}

/** Makes images of names that it knows. */
export interface OwnImages {
  /** @returns undefined when it does not know the image @throws {ImageBuildFailed} */
  make(image: string, store: ImageStore): Promise<StoredImage> | undefined;
}

/** One container's wish for its image. */
export interface ImageWish {
  readonly pod: Pod;
  readonly container: Pick<Container | EphemeralContainer, "image" | "imagePullPolicy" | "name" | "volumeMounts">;
  readonly sources: Sources;
  readonly signal: AbortSignal;
  tell(happening: Happening): void;
}

/** How long an image error stands before the back-off is told. */
const errorStandsMs = 1_500;

/** The image if it is here and need not be asked for. */
export async function imageAtHand(
  { store }: Imagery,
  { image = "", imagePullPolicy }: ImageWish["container"],
): Promise<StoredImage | undefined> {
  if (imagePullPolicy === "Always") return undefined;
  return await store.find(image).catch(() => undefined);
}

/**
 * The image of a container, pulled if its policy says so.
 * @throws {CannotStart} ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName
 */
export async function obtainImage(imagery: Imagery, wish: ImageWish): Promise<StoredImage> {
  const { image = "", imagePullPolicy } = wish.container;
  const here = await imageAtHand(imagery, wish.container);
  if (here !== undefined) {
    await imagery.store.use(here.manifest.digest);
    const note = `Container image "${image}" already present on machine and can be accessed by the pod`;
    wish.tell({ type: "Normal", reason: "Pulled", action: "Pulling", note });
    return here;
  }
  if (imagePullPolicy === "Never") {
    const note = `Container image "${image}" is not present with pull policy of Never`;
    wish.tell({ type: "Warning", reason: "ErrImageNeverPull", action: "Pulling", note });
    throw new CannotStart("ErrImageNeverPull", note);
  }
  return await pull(imagery, wish, image);
}

async function pull(
  { puller, clock, store, ownImages }: Imagery,
  wish: ImageWish,
  image: string,
): Promise<StoredImage> {
  const beganMs = clock.monotonicMs();
  // A pull that is not even tried is no pull to tell of; it says so within the moment.
  const telling = clock.after(1, () => {
    wish.tell({ type: "Normal", reason: "Pulling", action: "Pulling", note: `Pulling image "${image}"` });
  });
  try {
    const pulled = await (ownImages?.make(image, store) ??
      puller.pull({ image, keyring: keyringFor(wish), signal: wish.signal }));
    const seconds = `${((clock.monotonicMs() - beganMs) / 1000).toFixed(3)}s`;
    const note = `Successfully pulled image "${image}" in ${seconds} (${seconds} including waiting). Image size: ${pulled.bytes} bytes.`;
    wish.tell({ type: "Normal", reason: "Pulled", action: "Pulling", note });
    return pulled;
  } catch (error) {
    telling.cancel();
    wish.signal.throwIfAborted();
    throw failureOf(error, image, wish);
  }
}

function keyringFor({ pod, sources }: ImageWish): Keyring {
  const text = (encoded: string) => Buffer.from(encoded, "base64").toString("utf8");
  const secrets = (pod.spec.imagePullSecrets ?? []).flatMap(({ name = "" }) => {
    const data = sources.secret(name)?.data ?? {};
    const config = data[".dockerconfigjson"] ?? data[".dockercfg"];
    const authority = data["ca.crt"];
    return config === undefined ? [] : [{ config: text(config), authority: authority && text(authority) }];
  });
  return keyringOf(secrets);
}

function failureOf(error: unknown, image: string, wish: ImageWish): CannotStart {
  const message = error instanceof Error ? error.message : String(error);
  const warn = (note: string) => wish.tell({ type: "Warning", reason: "Failed", action: "Pulling", note });
  if (error instanceof ImagePullFailed && error.fault === "BackOff") {
    const why = message.replace(/^.*?: back-off after: /s, "");
    wish.tell({ type: "Normal", reason: "BackOff", action: "Pulling", note: `Back-off pulling image "${image}"` });
    warn("Error: ImagePullBackOff");
    const text = `Back-off pulling image "${image}": ErrImagePull: ${why}`;
    return new CannotStart("ImagePullBackOff", text, { cause: error, retryAfterMs: error.retryAfterMs ?? 0 });
  }
  if (error instanceof ImagePullFailed && error.fault === "InvalidName") {
    const note = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${message}`;
    wish.tell({ type: "Warning", reason: "InspectFailed", action: "Pulling", note });
    return new CannotStart("InvalidImageName", note, { cause: error });
  }
  warn(`Failed to pull image "${image}": ${message}`);
  warn("Error: ErrImagePull");
  return new CannotStart("ErrImagePull", message, { cause: error, retryAfterMs: errorStandsMs });
}

/** What a container's status names as its image: the name with the digest, else the image's own. */
export function imageIdOf({ names, configDigest }: StoredImage): string {
  return names.find((name) => name.includes("@")) ?? configDigest;
}
