/** Files that only their owner may read. */
import { randomBytes } from "node:crypto";
import { open, rename } from "node:fs/promises";

/** Writes a file for its owner alone, whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
