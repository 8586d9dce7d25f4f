import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { container, podOf } from "../lifecycle/testing.ts";
import { containerOf, newWorld } from "../lifecycle/world.ts";
import { readRecords, RecordKeeper, worldOf } from "./record.ts";

test("a record is read as it was saved last, one that a crash has spoiled is passed over, a removed one is gone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-records-"));
  try {
    const pod = podOf({ containers: [container("main")] });
    const world = newWorld(1000);
    const keeper = new RecordKeeper(join(folder, "one"));
    const saves = [1, 2, 3].map(async (restarts) => {
      containerOf(world, "main").restarts = restarts;
      await keeper.save(pod, world);
    });
    await Promise.all(saves);
    await mkdir(join(folder, "spoiled"));
    await writeFile(join(folder, "spoiled", "pod.json"), "");
    const records = await readRecords(folder);
    assert.deepEqual([...records.keys()], ["one"]);
    const record = records.get("one");
    assert.ok(record !== undefined);
    assert.deepEqual(record.pod, pod);
    assert.equal(worldOf(record).containers.get("main")?.restarts, 3);
    await keeper.remove();
    await keeper.save(pod, world);
    assert.deepEqual(await readdir(folder), ["spoiled"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
