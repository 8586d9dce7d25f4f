/** What tests of the spherelet share: a real server, a real host for machines, a small image, one spherelet. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "@atoll/client/client";
import type { MachineHost } from "@atoll/crx/host";
import { Machines } from "@atoll/crx/machines";
import { inventory, testHost } from "@atoll/crx/testing";
import { ImageStore } from "@atoll/images/store/store";
import { admitImage, testImage } from "@atoll/images/testing/image";
import type { TarPart } from "@atoll/images/testing/tarball";
import { systemClock } from "@atoll/machinery/clock";
import { logTo } from "@atoll/runtime/log";
import { Spherelet } from "./spherelet.ts";

/** Name of the image that tests run. */
export const testImageName = "registry.test/tiny:1";

const applets =
  "sh cat echo ls sleep id env printf dd head tail true false hostname mount stat grep wc kill ps nc od test touch mkdir rm httpd ulimit sync df ln chmod date readlink tr wget".split(
    " ",
  );

/** BusyBox and little else. */
async function busyboxParts(): Promise<readonly TarPart[]> {
  const busybox = await readFile("/bin/busybox");
  const folder = (path: string, mode = 0o755): TarPart => ({ path: `${path}/`, type: "5", mode });
  return [
    ...["bin", "etc", "root", "home", "home/web", "var"].map((path) => folder(path)),
    folder("tmp", 0o1777),
    { path: "bin/busybox", mode: 0o755, content: busybox },
    ...applets.map((name): TarPart => ({ path: `bin/${name}`, type: "2", link: "busybox", mode: 0o777 })),
    { path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:Web:/home/web:/bin/sh\n" },
    { path: "etc/group", content: "root:x:0:\nweb:x:1000:\nlogs:x:2000:web\n" },
  ];
}

/** A host on which spherelets can be started, one after the other. */
export interface TestNode {
  readonly name: string;
  readonly host: MachineHost;
  readonly data: string;
  /** Warnings and errors. */
  readonly complaints: readonly string[];
  /** Starts a spherelet, which takes up what the last one left. */
  start(client: Client): Promise<Spherelet>;
  /** Ends whatever runs. @returns what is left behind */
  close(): Promise<readonly string[]>;
}

/** A node with the test image on it. */
export async function testNode(name: string): Promise<TestNode> {
  const host = await testHost();
  const data = join(host.home, "spherelet");
  const store = await ImageStore.open({ dir: join(data, "images") });
  const image = testImage([await busyboxParts()], {
    Cmd: ["sh", "-c", "echo nothing to do"],
    Env: ["PATH=/bin", "FROM=image"],
  });
  await admitImage(store, image, { origin: "imported", names: [testImageName] });
  const complaints: string[] = [];
  const log = logTo((level, message, fields) => {
    if (level === "warn" || level === "error") complaints.push(`${level} ${message} ${JSON.stringify(fields)}`);
  });
  const started: Spherelet[] = [];
  return {
    name,
    host,
    data,
    complaints,
    async start(client) {
      const random = () => 0.5;
      const spherelet = await Spherelet.start({
        client,
        clock: systemClock,
        random,
        log,
        name,
        data,
        machines: new Machines(host),
        address: "127.0.0.1",
        port: 0,
        version: "test",
        ca: "",
      });
      started.push(spherelet);
      return spherelet;
    },
    async close() {
      for (const spherelet of started) await spherelet.stop();
      const machines = new Machines(host);
      for (const machine of await machines.adopt()) {
        await machine.kill();
        await machines.remove(machine);
      }
      await machines.templates.prune([]);
      const left = await inventory(host);
      await rm(host.home, { recursive: true, force: true });
      return left;
    },
  };
}
