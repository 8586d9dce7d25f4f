/** Which pod has which place, on disk: a file a pod, synced before its address is used, removed when it is free again. */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** A pod's place as it is recorded. */
export interface Place {
  readonly uid: string;
  readonly namespace: string;
  readonly address: string;
  readonly mac: string;
  readonly tap: string;
  readonly reachesHost?: boolean;
}

const suffix = ".json";

/** @throws {Error} a uid that cannot name a file */
function fileOf(folder: string, uid: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(uid)) throw new Error(`${JSON.stringify(uid)} is no uid of a pod`);
  return join(folder, `${uid}${suffix}`);
}

/** Makes a place durable. */
export async function writePlace(folder: string, place: Place): Promise<void> {
  const path = fileOf(folder, place.uid);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.draft`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(place));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(folder);
}

/** Forgets a place. The removal need not be durable: a place that comes back is taken away again. */
export async function removePlace(folder: string, uid: string): Promise<void> {
  await rm(fileOf(folder, uid), { force: true });
}

/** Every recorded place. What cannot be read was never used: a place is whole before its name is. */
export async function readPlaces(folder: string): Promise<readonly Place[]> {
  const names = await readdir(folder).catch(() => []);
  const places: Place[] = [];
  for (const name of names.filter((each) => each.endsWith(suffix))) {
    places.push(JSON.parse(await readFile(join(folder, name), "utf8")) as Place);
  }
  return places;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
