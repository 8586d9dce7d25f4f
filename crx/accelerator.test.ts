import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { judge, lookAtKvm, probeAccelerator } from "./accelerator.ts";
import { cacheFolder } from "./cache.ts";

test("judge() takes KVM only when a guest answers fast", () => {
  assert.equal(judge([180]).accelerator, "kvm");
  assert.equal(judge(["hangs", 300]).accelerator, "kvm");
  assert.deepEqual(judge([4000, 3000]), {
    accelerator: "tcg",
    reason: "/dev/kvm opens, but a guest needed 3000 ms to answer",
  });
  assert.match(judge(["QEMU exited with 1"]).reason, /no guest came up with it: QEMU exited with 1/);
  assert.equal(judge([]).accelerator, "tcg");
});

test("lookAtKvm() tells a missing device from one that cannot be opened", async () => {
  assert.equal(await lookAtKvm("/dev/nonesuch"), "absent");
  assert.equal(await lookAtKvm("/proc"), "denied");
});

test("probeAccelerator() gives a verdict with its reason, keeps it, and leaves nothing", {
  timeout: 120_000,
}, async () => {
  await mkdir(cacheFolder(), { recursive: true });
  const home = await mkdtemp(join(cacheFolder(), "probe-test-"));
  const options = { cache: cacheFolder(), home, clock: systemClock };
  const first = await probeAccelerator({ ...options, again: true });
  assert.match(
    first.reason,
    /^there is no|^a guest answered|cannot be opened|a guest needed|no answer within|QEMU|channel/,
  );
  const begunMs = performance.now();
  assert.deepEqual(await probeAccelerator(options), first);
  assert.ok(performance.now() - begunMs < 2000);
  assert.deepEqual(await readdir(home), []);
  await rm(home, { recursive: true });
});
