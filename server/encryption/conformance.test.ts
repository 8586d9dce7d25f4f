import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { runConformance } from "@atoll/storage/conformance";
import { openMemory } from "@atoll/storage/memory";
import { Followed } from "../configuration/followed.ts";
import type { Encryption } from "./configuration.ts";
import { EncryptedStore } from "./store.ts";
import { aesgcm } from "./transform.ts";

runConformance("encrypted memory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-encrypted-"));
  const path = join(folder, "encryption.json");
  await writeFile(path, "");
  const rules = [{ resources: ["*.*"], transforms: [aesgcm({ name: "k", secret: randomBytes(32) })] }];
  const log = { info: () => {}, error: () => {} };
  const file = await Followed.open({ path, parse: (): Encryption => ({ rules }), clock: systemClock, log });
  const store = new EncryptedStore(openMemory(), file);
  const dispose = async () => {
    file.close();
    await store.close();
    await rm(folder, { recursive: true });
  };
  return { store, dispose };
});
