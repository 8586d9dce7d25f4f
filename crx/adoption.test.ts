/** A driver that dies: its machines go on, and the next driver takes them up where it left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import type { MachineHost } from "./host.ts";
import { Machines } from "./machines.ts";
import { hostBootId, readIntent, writeIntent } from "./records.ts";
import { connectTo } from "./shim.ts";
import { inventory, testHost, tinyContainer } from "./testing.ts";

const size = { memoryMiB: 128, vcpus: 1 };
let host: MachineHost;
const drivers: Machines[] = [];

before(async () => {
  host = await testHost();
  await new Machines(host).templates.ensure(size);
});

// What a test that failed left running would be taken for its own by the next.
afterEach(async () => {
  for (const driver of drivers.splice(0)) driver.release();
  const machines = new Machines(host);
  for (const machine of await machines.adopt()) {
    if (machine.state.phase === "running") await machine.kill();
    await machines.remove(machine);
  }
});

after(async () => {
  await new Machines(host).templates.prune([]);
  assert.deepEqual(await inventory(host), []);
  await rm(host.home, { recursive: true, force: true });
});

/** A driver in this process. */
function driver(at = host): Machines {
  const machines = new Machines(at);
  drivers.push(machines);
  return machines;
}

/** Runs a driver until it says it is ready, and kills it. @returns what it had written down */
async function killedDriver(id: string): Promise<string> {
  const script = join(import.meta.dirname, "testdriver.ts");
  const child = spawn(process.execPath, [script, host.home, id], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const part of child.stdout.setEncoding("utf8") as AsyncIterable<string>) {
    text += part;
    if (text.endsWith("ready\n")) child.kill("SIGKILL");
  }
  return text.slice(0, -"ready\n".length);
}

/** @returns where in the first text the second begins; its length when they do not touch */
function overlap(first: string, second: string): number {
  for (let offset = Math.max(0, first.length - second.length); offset < first.length; offset++)
    if (second.startsWith(first.slice(offset))) return offset;
  return first.length;
}

test("kill -9 of the driver restarts no guest and loses no line", { timeout: 120_000 }, async () => {
  const before = await killedDriver("survivor");
  const machines = driver();
  const begunMs = performance.now();
  const [machine] = await machines.adopt();
  assert.ok(performance.now() - begunMs < 2000);
  assert.ok(machine !== undefined && machine.state.phase === "running");
  assert.equal(machine.state.startedAs, "clone");
  const [container] = machine.guest.containers;
  assert.ok(container !== undefined);
  await machine.guest.follow(container, 0n);
  let rest = "";
  for await (const record of container.log) {
    container.log.acknowledge(record.end);
    rest += record.bytes.toString("utf8");
    if (rest.length > 200_000) break;
  }
  // The last record was read but not acknowledged, so it comes again: the two overlap, and nothing is between them.
  const offset = overlap(before, rest);
  assert.ok(offset > 0 && offset < before.length, "the new driver begins where acknowledgement ended");
  const lines = (before.slice(0, offset) + rest).split("\n").slice(0, -1);
  assert.match(lines[0] ?? "", /^[0-9a-f-]{36}$/);
  lines.slice(1, -1).forEach((line, index) => assert.equal(line, `${index}`));
  await machine.kill();
  assert.equal((await container.exited.catch((error: Error) => error.name)) as unknown, "ChannelClosed");
  await machines.remove(machine);
});

test("a machine that ended while nobody looked is found gone, with the reason", { timeout: 60_000 }, async () => {
  await killedDriver("ends-alone");
  const first = driver();
  const [machine] = await first.adopt();
  assert.ok(machine !== undefined);
  machine.release();
  const second = driver();
  await machine.kill();
  const [found] = await second.adopt();
  assert.ok(found !== undefined && found.state.phase === "gone");
  assert.equal(found.state.outcome.how, "killed");
  await second.remove(found);
});

test("after a restart of the host a machine is lost, whatever now has its process ids", {
  timeout: 60_000,
}, async () => {
  const machines = driver();
  const machine = await machines.start({ id: "rebooted", owner: "a test", ...size, disks: [] });
  const intent = await readIntent(machine.folder);
  assert.ok(intent !== undefined);
  assert.equal(intent.bootId, await hostBootId());
  machine.release();
  const elsewhere = driver({ ...host, bootId: "another boot" });
  const [found] = await elsewhere.adopt();
  assert.ok(found !== undefined && found.state.phase === "gone");
  assert.equal(found.state.outcome.how, "lost");
  await writeIntent(machine.folder, intent);
  const again = driver();
  const [back] = await again.adopt();
  assert.ok(back !== undefined && back.state.phase === "running");
  await back.kill();
  await again.remove(back);
});

test("a machine boots when its template cannot be copied, and says why", { timeout: 60_000 }, async () => {
  const machines = driver();
  const template = await machines.templates.ensure(size);
  await writeFile(template.state, "no state of any device");
  const machine = await machines.start({ id: "no-copy", owner: "a test", ...size, disks: [] });
  assert.ok(machine.state.phase === "running");
  assert.equal(machine.state.startedAs, "boot");
  assert.match(machine.state.why, /^the copy of the template failed: /);
  await machine.kill();
  await machines.remove(machine);
  assert.equal(await machines.templates.find(size), undefined);
});

test("half a frame of a dead driver does not confuse the next one", { timeout: 60_000 }, async () => {
  const machines = driver();
  const machine = await machines.start({ id: "half-frame", owner: "a test", ...size, disks: [] });
  machine.release();
  const socket = await connectTo(machine.folder, "channel");
  // The head of a data frame that announces 30,000 bytes, and a few of them.
  socket.write(Buffer.concat([Buffer.from([5, 0, 9, 0, 0x30, 0x75, 0, 0]), Buffer.alloc(100, 7)]));
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.destroy();
  const next = driver();
  const [adopted] = await next.adopt();
  assert.ok(adopted !== undefined && adopted.state.phase === "running");
  await assert.rejects(adopted.guest.run(tinyContainer("true")), /no volume "image"/);
  await adopted.kill();
  await next.remove(adopted);
});
