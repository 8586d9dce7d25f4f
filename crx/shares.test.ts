/** Two hosts and a disk that both have: one writes, the other waits, whatever becomes of the first. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test as plainTest } from "node:test";
import { eventually } from "@atoll/harness/client";
import { makeDisk } from "./disk.ts";
import type { MachineHost } from "./host.ts";
import type { Machine } from "./machine.ts";
import { Machines } from "./machines.ts";
import { readExit, readProcesses } from "./records.ts";
import type { LeaseState, SharedDisk } from "./shares.ts";
import { inventory, testHost, tinyContainer, tinyImage } from "./testing.ts";

const test = (name: string, body: () => Promise<void>) => void plainTest(name, { timeout: 90_000 }, body);
const size = { memoryMiB: 128, vcpus: 1 };
const leaseMs = 2000;
const serial = "shared";

let share: string;
let image: string;
const hosts: { readonly host: MachineHost; readonly machines: Machines }[] = [];

before(async () => {
  image = await tinyImage();
  for (let count = 0; count < 2; count++) {
    const host = await testHost();
    const machines = new Machines(host);
    await machines.templates.ensure(size);
    hosts.push({ host, machines });
  }
  share = await mkdtemp(join(dirname(hosts[0]?.host.home ?? ""), "share-"));
});

after(async () => {
  for (const { host } of hosts) {
    const machines = new Machines(host);
    for (const machine of await machines.adopt()) {
      await machine.kill();
      await machines.remove(machine);
    }
    await machines.templates.prune([]);
    assert.deepEqual(await inventory(host), [], "nothing is left behind");
    await rm(host.home, { recursive: true, force: true });
  }
  await rm(share, { recursive: true, force: true });
});

async function newDisk(name: string): Promise<string> {
  const folder = join(share, name);
  await mkdir(folder);
  await makeDisk(join(folder, "disk.raw"), 32 << 20);
  return folder;
}

async function start(which: 0 | 1, id: string): Promise<Machine> {
  const { machines } = hosts[which] ?? assert.fail();
  const disks = [{ serial: "image", path: image, readOnly: true }];
  const machine = await machines.start({ id, owner: "a test", ...size, disks });
  await machine.guest.addVolume({ name: "image", kind: "disk", serial: "image", filesystem: "erofs" });
  return machine;
}

const diskOf = (folder: string, { intent }: Machine): SharedDisk => ({
  serial,
  folder,
  holder: intent.spec.id,
  leaseMs,
});

/** Waits for the lease, then has the disk. */
async function mount(machine: Machine, folder: string, over?: string): Promise<LeaseState> {
  const disk = diskOf(folder, machine);
  let state: LeaseState | undefined;
  await eventually("its lease is held", async () => (state = await machine.leaseOf(disk, over)).is === "held", 30_000);
  await machine.attachShared(serial);
  const volume = { name: "data", kind: "disk", serial, filesystem: "ext4", timeoutMs: 30_000 } as const;
  await machine.guest.addVolume(volume);
  return state ?? assert.fail();
}

async function ran(machine: Machine, line: string): Promise<string> {
  const mounts = [{ volume: "data", target: "/data" }];
  const container = await machine.guest.run(tinyContainer(line, { mounts }));
  await machine.guest.follow(container, 0n);
  let text = "";
  for await (const record of container.log) {
    text += record.bytes.toString("utf8");
    container.log.acknowledge(record.end);
  }
  await container.exited;
  await machine.guest.remove(container);
  return text;
}

/** The process that keeps the lease of a machine's only shared disk. */
async function keeperOf(machine: Machine): Promise<number> {
  const { shim = 0, qemu } = (await readProcesses(machine.folder)) ?? {};
  const children = (await readFile(`/proc/${shim}/task/${shim}/children`, "utf8")).trim().split(" ").map(Number);
  return children.find((pid) => pid !== qemu) ?? assert.fail("no keeper");
}

test("who waits has the disk as soon as the first has gone in order, with all that it wrote", async () => {
  const folder = await newDisk("handover");
  const [one, two] = await Promise.all([start(0, "one"), start(1, "two")]);
  assert.deepEqual(await mount(one, folder), { is: "held", epoch: 1, isClean: true });
  await ran(one, "echo precious > /data/file");
  assert.equal((await two.leaseOf(diskOf(folder, two))).is, "waiting");
  await eventually("it knows for whom", async () => {
    const state = await two.leaseOf(diskOf(folder, two));
    return state.is === "waiting" && state.holder === "one";
  });
  await assert.rejects(two.attachShared(serial), { message: "its lease is not held" });
  assert.equal((await one.shutDown(100)).how, "shutDown");
  assert.deepEqual(await mount(two, folder), { is: "held", epoch: 2, isClean: true });
  assert.equal(await ran(two, "cat /data/file"), "precious\n");
  await two.kill();
});

test("a machine that cannot renew ends before another has its disk, also without a driver", async () => {
  const folder = await newDisk("cut");
  const [one, two] = await Promise.all([start(0, "cut-one"), start(1, "cut-two")]);
  await mount(one, folder);
  const before = (await readExit(one.folder)) === undefined;
  // A share that does not answer holds up whoever writes there.
  process.kill(await keeperOf(one), "SIGSTOP");
  const state = await mount(two, folder);
  assert.deepEqual(state, { is: "held", epoch: 2, isClean: false });
  assert.ok(before && (await readExit(one.folder)) !== undefined, "it had ended by then");
  assert.equal((await one.gone).how, "leaseLost");
  await two.kill();
});

test("a holder that has no right to its disk any more is asked to end, and does", async () => {
  const folder = await newDisk("asked");
  const [one, two] = await Promise.all([start(0, "asked-one"), start(1, "asked-two")]);
  await mount(one, folder);
  await mount(two, folder, "asked-one");
  assert.equal((await one.gone).how, "leaseLost");
  await two.kill();
});

test("a driver that comes later finds the lease as it is", async () => {
  const folder = await newDisk("adopted");
  const one = await start(0, "adopted");
  await mount(one, folder);
  const { host, machines } = hosts[0] ?? assert.fail();
  machines.release();
  const later = new Machines(host);
  const [found = assert.fail()] = await later.adopt();
  assert.equal((await found.leaseOf(diskOf(folder, found))).is, "given");
  await found.kill();
  await later.remove(found);
});
