/** The host's image store, for people. */
import { buildImage } from "@atoll/images/build/build";
import { hostPlatform, ImagePuller } from "@atoll/images/pull";
import { importArchive } from "@atoll/images/store/archive";
import { ImageStore, type StoredImage } from "@atoll/images/store/store";
import type { Clock } from "@atoll/machinery/clock";

/** Which store. */
export interface ImagesOptions {
  /** Folder of the store. */
  readonly dir: string;
  readonly clock: Clock;
}

/** What to build. */
export interface BuildWish {
  readonly folder: string;
  /** Name for the image. */
  readonly ref: string;
  readonly file?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Whether layers of earlier builds are taken over. */
  readonly cache: boolean;
}

const shortDigits = 12;

/** Builds a folder with a Containerfile; what the tools say goes to `onOutput`. @throws {ImageBuildFailed} */
export async function build(
  options: ImagesOptions,
  { folder, ref, file, buildArgs, cache }: BuildWish,
  onOutput: (text: string) => void,
): Promise<string> {
  const store = await ImageStore.open(options);
  const puller = new ImagePuller({ store, clock: options.clock, settings: {} });
  try {
    const more = file === undefined ? {} : { file };
    const image = await buildImage(folder, ref, { store, puller, buildArgs, cache, onOutput, ...more });
    return table([image]);
  } finally {
    puller.close();
  }
}

/** Takes the images of an archive, as `docker save` and `skopeo copy oci-archive:` write them. @throws {ImageRefused} */
export async function importFile(options: ImagesOptions, path: string, name: string | undefined): Promise<string> {
  const store = await ImageStore.open(options);
  const more = name === undefined ? {} : { name };
  const images = await importArchive(store, path, { platform: hostPlatform(), origin: "imported", ...more });
  return table(images);
}

/** Every image. */
export async function list(options: ImagesOptions): Promise<string> {
  const store = await ImageStore.open(options);
  return table(await store.list());
}

function table(images: readonly StoredImage[]): string {
  const rows = images.flatMap((image) => {
    const names = image.names.length === 0 ? ["<none>"] : image.names;
    return names.map((name) => [name, idOf(image), sizeOf(image.bytes)]);
  });
  const all = [["IMAGE", "ID", "SIZE"], ...rows.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("   ")
          .trimEnd()}\n`,
    )
    .join("");
}

const idOf = ({ configDigest }: StoredImage): string => configDigest.split(":")[1]?.slice(0, shortDigits) ?? "";

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
