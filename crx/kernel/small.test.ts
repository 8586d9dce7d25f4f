/** The kernel that `atoll crx build-kernel` makes; some ten minutes of compiling, so only with `--nightly`. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cacheFolder, digestOf } from "../cache.ts";
import { makeDisk } from "../disk.ts";
import { Machines } from "../machines.ts";
import { testHost, tinyContainer, tinyImage } from "../testing.ts";
import { buildSmallKernel, configFragment, smallConfig, smallConfigOff } from "./small.ts";

const isNight = process.env["ATOLL_NIGHTLY"] === "1";
const skip = isNight ? false : "compiles a kernel";

test("the small kernel's options are each named once, on or off", () => {
  const all = [...Object.values(smallConfig).flat(), ...smallConfigOff];
  assert.equal(new Set(all).size, all.length);
  assert.equal(configFragment().split("\n").length, all.length + 4);
});

test("a small kernel, once built, is what machines boot, by its digest", { skip, timeout: 3_000_000 }, async () => {
  await mkdir(cacheFolder(), { recursive: true });
  const cache = await mkdtemp(join(cacheFolder(), ".night-"));
  try {
    const steps: string[] = [];
    const kernel = await buildSmallKernel(cache, (step) => steps.push(step));
    assert.deepEqual(steps, ["fetch linux-source", "unpack", "configure", "compile"], "every option was taken");
    assert.equal(kernel.vmlinuxDigest, digestOf(await readFile(kernel.vmlinux)));
    const host = await testHost({ cache });
    assert.deepEqual([host.system.flavour, host.system.kernelDigest], ["small", kernel.vmlinuxDigest]);
    const machines = new Machines(host);
    await machines.templates.ensure(size);
    for (const start of ["boot", "clone"] as const) assert.equal(await releaseIn(machines, start), kernel.release);
    await machines.templates.prune([]);
    await rm(host.home, { recursive: true });
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});

const size = { memoryMiB: 128, vcpus: 1 };

/** What a container in a machine finds as its kernel; a disk plugged in while it runs is there, too. */
async function releaseIn(machines: Machines, start: "boot" | "clone"): Promise<string> {
  const disks = [{ serial: "image", path: await tinyImage(), readOnly: true }];
  const machine = await machines.start({ id: start, owner: "a test", ...size, disks, start });
  assert.deepEqual(
    { ...machine.state, startMs: 0, why: "" },
    { phase: "running", startedAs: start, startMs: 0, why: "" },
  );
  await machine.guest.addVolume({ name: "image", kind: "disk", serial: "image", filesystem: "erofs" });
  const path = join(machines.host.home, `${start}.ext4`);
  await makeDisk(path, 16 << 20);
  await machine.attachDisk({ serial: "later", path, readOnly: false });
  await machine.guest.addVolume({
    name: "later",
    kind: "disk",
    serial: "later",
    filesystem: "ext4",
    timeoutMs: 10_000,
  });
  const container = await machine.guest.run(tinyContainer("cat /proc/sys/kernel/osrelease"));
  await machine.guest.follow(container, 0n);
  let text = "";
  for await (const record of container.log) {
    text += Buffer.from(record.bytes).toString();
    if (text.includes("\n")) break;
  }
  await machine.kill();
  await machines.remove(machine);
  return text.trim();
}
