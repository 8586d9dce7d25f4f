/** Guests that mean ill: each is cut off, its end is told truthfully, and its neighbour does not notice. */
import assert from "node:assert/strict";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test as plainTest } from "node:test";
import { buildProgram } from "./build.ts";
import { cacheFolder } from "./cache.ts";
import type { Container } from "./guest.ts";
import type { MachineHost } from "./host.ts";
import type { Machine } from "./machine.ts";
import { Machines } from "./machines.ts";
import { inventory, shell, testHost, tinyContainer, tinyImage } from "./testing.ts";

const size = { memoryMiB: 128, vcpus: 1 };
const test = (name: string, body: () => Promise<void>) => void plainTest(name, { timeout: 120_000 }, body);

let host: MachineHost;
let good: Machines;
let evil: Machines;
let neighbour: Machine;
let container: Container;

before(async () => {
  host = await testHost();
  const init = await buildProgram("hostile", { cache: cacheFolder() });
  good = new Machines(host);
  evil = new Machines({ ...host, system: (await testHost({ home: host.home, init })).system });
  const disks = [{ serial: "image", path: await tinyImage(), readOnly: true }];
  neighbour = await good.start({ id: "neighbour", owner: "a test", ...size, disks, start: "boot" });
  await neighbour.guest.addVolume({ name: "image", kind: "disk", serial: "image", filesystem: "erofs" });
  container = await neighbour.guest.run(tinyContainer("sleep 1000"));
});

after(async () => {
  for (const machines of [good, evil])
    for (const machine of machines.list()) {
      await machine.kill();
      await machines.remove(machine);
    }
  assert.deepEqual(await inventory(host), []);
  await rm(host.home, { recursive: true, force: true });
});

/** Starts a hostile guest and tells it what to do. */
async function unleash(deed: string): Promise<Machine> {
  const machine = await evil.start({ id: deed, owner: "a test", ...size, disks: [], start: "boot" });
  machine.guest.run({ name: deed }).catch(() => undefined);
  return machine;
}

async function neighbourIsWell(): Promise<void> {
  const { stream, exited } = await neighbour.guest.exec(container, shell("echo well"));
  let text = "";
  for await (const chunk of stream) text += chunk.bytes.toString("utf8");
  assert.equal(text, "well\n");
  assert.equal((await exited).code, 0);
}

for (const [deed, why] of [
  ["garbage", /unknown frame type/],
  ["huge-frame", /frame of 4294967295 bytes/],
  ["events", /too many events/],
  ["half-reply", /reply is too long/],
  ["data", /without credit/],
] as const)
  test(`a guest that sends ${deed} is cut off and ended`, async () => {
    const machine = await unleash(deed);
    const outcome = await machine.gone;
    assert.equal(outcome.how, "untrusted");
    assert.match(outcome.detail, why);
    await neighbourIsWell();
    await evil.remove(machine);
  });

test("a guest that floods its console fills no disk and starves nobody", async () => {
  const machine = await unleash("console");
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await neighbourIsWell();
  const sizes = await Promise.all(
    ["console", "console.old"].map((name) =>
      stat(join(machine.folder, name)).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  assert.ok(sizes.every((bytes) => bytes <= 256 << 10));
  assert.equal((await machine.kill()).how, "killed");
  await evil.remove(machine);
});

test("a guest whose process 1 ends has panicked", async () => {
  const machine = await unleash("crash");
  const outcome = await machine.gone;
  assert.equal(outcome.how, "panicked");
  await neighbourIsWell();
  await evil.remove(machine);
});
