/**
 * The lease of a shared disk on NFS itself: two clients, each a Debian kernel in a machine of its own, and a server in user
 * space. What the kernel remembers of a share, and what it goes on sending for those who are dead, is its own.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { cacheFolder } from "@atoll/crx/cache";
import { writeCpio } from "@atoll/crx/kernel/cpio";
import { debianKernel } from "@atoll/crx/kernel/debian";
import { collectModules } from "@atoll/crx/kernel/modules";
import { Qmp } from "@atoll/crx/qmp";
import { run } from "@atoll/crx/run";
import { type DebianRequest, fetchDebian } from "@atoll/tools/debian";
import { lacking } from "./lacking.ts";

const leaseMs = 4000;
const patienceMs = 90_000;
const here = import.meta.dirname;
/** The server and what it needs, unpacked and never installed: an installed one would serve at once. */
const server: DebianRequest = {
  suite: "bookworm",
  packages: [
    ..."nfs-ganesha nfs-ganesha-vfs libacl1 libblkid1 libbsd0 libcap2 libcom-err2 libdbus-1-3 libgcrypt20".split(" "),
    ..."libgpg-error0 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblz4-1 liblzma5".split(
      " ",
    ),
    ..."libmd0 libnfsidmap1 libntirpc4.3 libsystemd0 liburcu8 libuuid1 libwbclient0 libzstd1".split(" "),
  ],
};
const skip = await lacking();

let folder: string;
let disk: string;
let serving: ChildProcess | undefined;
let port: number;
let initramfs: string;
let kernel: string;
const clients: Client[] = [];

/** Configuration. Source: ganesha-config(8) */
const configuration = (share: string, libraries: string): string => `
NFS_CORE_PARAM { Protocols = 4; NFS_Port = ${port}; Bind_addr = 127.0.0.1; Enable_NLM = false; Enable_RQUOTA = false;
  Plugins_Dir = "${libraries}/ganesha"; }
NFSV4 { IdmapConf = "${folder}/idmapd.conf"; Graceless = true; Lease_Lifetime = 10; Minor_Versions = 1, 2; RecoveryRoot = "${folder}/recovery"; }
EXPORT { Export_Id = 1; Path = ${share}; Pseudo = /share; Access_Type = RW; Squash = No_Root_Squash; SecType = sys;
  Protocols = 4; Transports = TCP; FSAL { Name = VFS; } }
`;

const init = `#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc none /proc
busybox mount -t devtmpfs none /dev
for module in $(busybox cat /modules/order); do busybox insmod /modules/$module.ko; done
for word in $(busybox cat /proc/cmdline); do case $word in name=*) name=\${word#name=};; port=*) port=\${word#port=};; esac; done
busybox hostname $name
busybox ip link set eth0 up
busybox ip address add 10.0.2.15/24 dev eth0
options=vers=4.1,proto=tcp,sec=sys,addr=10.0.2.2,clientaddr=10.0.2.15,port=$port
busybox mount -t nfs4 -o $options 10.0.2.2:/share /share || echo "@ no share"
busybox stty -echo
exec /holder $name ${leaseMs} /share/disk
`;

async function packInitramfs(): Promise<void> {
  const holder = join(folder, "holder");
  const headers = ["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"];
  const sources = [join(here, "nfs", "holder.c"), join(here, "..", "crx", "shim", "lease.c")];
  await run("musl-gcc", ["-std=gnu11", "-D_GNU_SOURCE", "-static", "-O2", ...headers, "-o", holder, ...sources]);
  const { vmlinux, modules = "" } = await debianKernel(cacheFolder());
  kernel = vmlinux;
  const loaded = await collectModules(modules, ["virtio_pci", "virtio_net", "nfsv4"]);
  const folders = ["bin", "dev", "proc", "share", "modules"].map((path) => ({ path, mode: 0o040755 }));
  const order = loaded.map(({ name }) => name).join("\n");
  const entries = [
    ...folders,
    { path: "dev/console", mode: 0o020600, device: [5, 1] as const },
    { path: "bin/busybox", mode: 0o100755, content: await readFile("/bin/busybox") },
    { path: "holder", mode: 0o100755, content: await readFile(holder) },
    { path: "init", mode: 0o100755, content: Buffer.from(init) },
    { path: "modules/order", mode: 0o100644, content: Buffer.from(order) },
    ...loaded.map(({ name, content }) => ({ path: `modules/${name}.ko`, mode: 0o100644, content })),
  ];
  initramfs = join(folder, "initramfs");
  await writeFile(initramfs, writeCpio(entries));
}

/** A kernel with the share, and who holds leases there. */
class Client {
  /** What it said, in order. */
  readonly said: string[] = [];
  readonly #qemu: ChildProcess;
  readonly #qmp: Qmp;

  private constructor(qemu: ChildProcess, qmp: Qmp) {
    this.#qemu = qemu;
    this.#qmp = qmp;
    createInterface({ input: qemu.stdout ?? assert.fail() }).on("line", (line) => {
      const [, word] = /@ (.*?)\s*$/.exec(line) ?? [];
      if (word !== undefined) this.said.push(word);
    });
  }

  static async start(name: string): Promise<Client> {
    const path = join(folder, `${name}.sock`);
    const asked: Server = createServer().listen(path);
    const args = [
      ..."-nodefaults -no-user-config -display none -machine q35,accel=tcg -cpu max -m 192 -serial stdio".split(" "),
      ...["-kernel", kernel, "-initrd", initramfs],
      ...["-append", `console=ttyS0 quiet panic=-1 name=${name} port=${port}`],
      ...["-netdev", "user,id=n", "-device", "virtio-net-pci,id=net,netdev=n,romfile="],
      ...["-qmp", `unix:${path}`],
    ];
    const qemu = spawn("qemu-system-x86_64", args, { stdio: ["pipe", "pipe", "inherit"] });
    const [socket] = (await once(asked, "connection")) as Parameters<typeof Qmp.open>;
    asked.close();
    const client = new Client(qemu, await Qmp.open(socket, { event: () => undefined, close: () => undefined }));
    clients.push(client);
    return client;
  }

  tell(line: string): void {
    this.#qemu.stdin?.write(`${line}\n`);
  }

  /** Waits until it says so, from a place on. */
  async says(word: string | RegExp, from = 0): Promise<void> {
    const isSaid = (line: string) => (typeof word === "string" ? line === word : word.test(line));
    await eventually(`${word}`, () => Promise.resolve(this.said.slice(from).some(isSaid)), patienceMs).catch(
      (error: unknown) => assert.fail(`${String(error)}: ${this.said.join(", ")}`),
    );
  }

  async setLink(up: boolean): Promise<void> {
    await this.#qmp.execute("set_link", { name: "net", up });
  }

  stop(): void {
    this.#qemu.kill("SIGKILL");
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "atoll-nfs-"));
  port = await freePort();
  disk = join(folder, "share", "disk");
  await mkdir(disk, { recursive: true });
  await mkdir(join(folder, "recovery"));
  await writeFile(join(disk, "disk.raw"), Buffer.alloc(1 << 20));
  await serve(join(folder, "share"));
  await packInitramfs();
});

async function serve(share: string): Promise<void> {
  const root = await fetchDebian(server);
  const libraries = join(root, "usr", "lib", "x86_64-linux-gnu");
  await writeFile(join(folder, "idmapd.conf"), "[General]\nDomain = test\n[Translation]\nMethod = nsswitch\n");
  await writeFile(join(folder, "ganesha.conf"), configuration(share, libraries));
  const args = ["-F", "-f", join(folder, "ganesha.conf"), "-L", join(folder, "log"), "-p", join(folder, "pid")];
  const parts = [libraries, join(libraries, "libnfsidmap"), join(root, "usr", "lib", "ganesha")];
  const paths = [...parts, join(root, "lib", "x86_64-linux-gnu")];
  const env = { ...process.env, LD_LIBRARY_PATH: paths.join(":") };
  serving = spawn(join(root, "usr", "bin", "ganesha.nfsd"), args, { stdio: "ignore", env });
  const isUp = async () => (await readFile(join(folder, "log"), "utf8").catch(() => "")).includes("SERVER INITIALIZED");
  await eventually("the server is up", isUp, patienceMs);
}

after(async () => {
  for (const client of clients) client.stop();
  serving?.kill("SIGKILL");
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test("on NFS a host that is cut off is out before another has the disk, and what it sends late hits nothing", {
  skip,
}, async () => {
  const has = ({ said }: Client) => said.includes("held 1 clean");
  const [one, two] = await Promise.all([Client.start("one"), Client.start("two")]);
  await eventually("one has it", () => Promise.resolve([one, two].some(has)), patienceMs);
  const first = has(one) ? one : two;
  const second = first === one ? two : one;
  const holder = first === one ? "one" : "two";
  await second.says(`waiting 0 ${holder}`);
  first.tell("give");
  await first.says("given 1");
  first.tell("write 7");
  await first.says("wrote 7");

  await first.setLink(false);
  first.tell("write 9");
  await second.says("held 2 unclean");
  assert.ok(first.said.includes("out 0"), `both held it: ${first.said.join(", ")}`);
  assert.ok(!first.said.includes("wrote 9"));
  second.tell("renew");
  await second.says("renewed 0");
  second.tell("give");
  await second.says("given 2");
  second.tell("read");
  await second.says("read 7");
  second.tell("write 8");
  await second.says("wrote 8");

  await first.setLink(true);
  await first.says(/^lost 1 another host has it/);
  second.tell("read");
  await second.says("read 8");
  // It was the share that they spoke by, and no folder of their own.
  assert.match(await readFile(join(disk, "lease.2"), "utf8"), new RegExp(`^held ${second === one ? "one" : "two"} `));
  assert.ok(!second.said.some((line) => /^(lost|trouble|out)/.test(line)), second.said.join(", "));
});
