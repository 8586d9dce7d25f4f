/** A driver for tests to kill: starts one machine with a container that counts, says so, and never ends by itself. */
import { systemClock } from "@atoll/machinery/clock";
import { testHost, tinyContainer, tinyImage } from "./testing.ts";
import { Machines } from "./machines.ts";

const [home, id] = process.argv.slice(2);
if (home === undefined || id === undefined) throw new Error("usage: testdriver HOME ID");
const machines = new Machines(await testHost({ home }));
const disks = [{ serial: "image", path: await tinyImage(), readOnly: true }];
const machine = await machines.start({ id, owner: "a test", memoryMiB: 128, vcpus: 1, disks });
await machine.guest.addVolume({ name: "image", kind: "disk", serial: "image", filesystem: "erofs" });
const line = "cat /proc/sys/kernel/random/boot_id; i=0; while true; do echo $i; i=$((i+1)); done";
const container = await machine.guest.run(tinyContainer(line));
await machine.guest.follow(container, 0n);
let acknowledged = 0n;
for await (const record of container.log) {
  // Acknowledged is only what was written down; a real driver would write to a log file.
  process.stdout.write(record.bytes);
  // A busy host gives the output in few large records: at least one is acknowledged, and the last is not.
  if (acknowledged > 20_000n) break;
  container.log.acknowledge(record.end);
  acknowledged = record.end;
}
process.stdout.write("ready\n");
await systemClock.sleep(600_000);
