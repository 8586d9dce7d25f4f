/** Machines with a real QEMU, one at a time: what they promise to whoever runs containers in them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, readlink, rm, stat, truncate, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test as plainTest } from "node:test";
import { makeDisk } from "./disk.ts";
import type { Container, ContainerSpec, Exit, Guest, ProcessSpec } from "./guest.ts";
import type { MachineHost } from "./host.ts";
import type { Machine } from "./machine.ts";
import { Machines } from "./machines.ts";
import { readProcesses } from "./records.ts";
import { run } from "./run.ts";
import { assemble } from "./seccomp/assemble.ts";
import { defaultProfile } from "./seccomp/profile.ts";
import { defaultCapabilities, inventory, shell, testHost, tinyContainer, tinyImage } from "./testing.ts";

/** A test that cannot hang: a guest may. */
const test = (name: string, body: () => Promise<void> | void) => void plainTest(name, { timeout: 60_000 }, body);

const size = { memoryMiB: 128, vcpus: 1 };

let host: MachineHost;
let machines: Machines;
let image: string;
let shared: Machine; // one machine for the tests that do not harm it

before(async () => {
  host = await testHost();
  machines = new Machines(host);
  image = await tinyImage();
  await machines.templates.ensure(size);
  shared = await startMachine("shared");
});

after(async () => {
  for (const machine of machines.list()) {
    await machine.kill();
    await machines.remove(machine);
  }
  await machines.templates.prune([]);
  const left = await inventory(host);
  await rm(host.home, { recursive: true, force: true });
  assert.deepEqual(left, [], "nothing is left behind");
});

async function startMachine(
  id: string,
  more: { start?: "boot"; leaseMs?: number; tap?: string } = {},
): Promise<Machine> {
  const disks = [{ serial: "image", path: image, readOnly: true }];
  const machine = await machines.start({ id, owner: "a test", ...size, disks, ...more });
  await machine.guest.addVolume({ name: "image", kind: "disk", serial: "image", filesystem: "erofs" });
  return machine;
}

async function finish(machine: Machine): Promise<void> {
  await machine.kill();
  await machines.remove(machine);
}

/** What a TCP port sends; waits for it to listen. */
async function fetchFrom(address: string, port: number): Promise<string> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, address);
    try {
      await once(socket, "connect");
      let text = "";
      for await (const part of socket.setEncoding("utf8") as AsyncIterable<string>) text += part;
      return text;
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

interface Ran {
  readonly output: string;
  readonly errors: string;
  readonly exit: Exit;
}

/** Runs a container to its end, takes its output, and removes it. */
async function runToEnd(guest: Guest, line: string, more?: Partial<ContainerSpec>): Promise<Ran> {
  const container = await guest.run(tinyContainer(line, more ?? {}));
  await guest.follow(container, 0n);
  const text = { output: "", errors: "" };
  for await (const record of container.log) {
    text[record.source] += record.bytes.toString("utf8");
    container.log.acknowledge(record.end);
  }
  const exit = await container.exited;
  await guest.remove(container);
  return { ...text, exit };
}

/** Runs a process in a container to its end. */
async function execToEnd(container: Container, process: ProcessSpec, input?: string): Promise<Ran> {
  const { stream, exited } = await shared.guest.exec(container, process);
  if (input !== undefined) {
    await stream.input.write(Buffer.from(input));
    stream.input.end();
  }
  const text = { output: "", errors: "" };
  for await (const chunk of stream) text[chunk.source] += chunk.bytes.toString("utf8");
  return { ...text, exit: await exited };
}

async function withContainer(line: string, use: (container: Container) => Promise<void>): Promise<void> {
  const container = await shared.guest.run(tinyContainer(line));
  try {
    await use(container);
  } finally {
    await shared.guest.signal(container, 9, true);
    await container.exited;
    await shared.guest.remove(container);
  }
}

test("a machine of a size with a template is a clone of it", () => {
  assert.equal(shared.state.phase === "running" ? shared.state.startedAs : "", "clone");
});

test("a container's output, errors and exit code arrive", async () => {
  const { output, errors, exit } = await runToEnd(shared.guest, "echo out; echo err >&2; exit 3");
  assert.deepEqual([output, errors, exit.code, exit.signal], ["out\n", "err\n", 3, 0]);
  assert.ok(exit.finishedNs >= exit.startedNs);
});

test("a container killed by a signal reports the signal", async () => {
  const { exit } = await runToEnd(shared.guest, "kill -9 $$"); // ignored by a namespace's first process
  assert.equal(exit.code, 0);
  const container = await shared.guest.run(tinyContainer("sleep 100"));
  await shared.guest.signal(container, 9);
  const { code, signal } = await container.exited;
  assert.deepEqual([code, signal], [137, 9]);
  await shared.guest.remove(container);
});

test("a command that is not in the image is refused in a container runtime's words", async () => {
  const missing = tinyContainer("", { process: { args: ["nonesuch"] } });
  await assert.rejects(shared.guest.run(missing), { message: 'exec: "nonesuch": executable file not found in $PATH' });
  const noFile = tinyContainer("", { process: { args: ["/no/file"] } });
  await assert.rejects(shared.guest.run(noFile), { message: 'exec: "/no/file": No such file or directory' });
});

test("containers see their own processes, mounts and names only, and no kernel setting to write", async () => {
  const { output } = await runToEnd(
    shared.guest,
    "ps | wc -l; cat /proc/1/comm; hostname; grep -c /run/v /proc/mounts; echo 1 > /proc/sys/kernel/panic || echo refused",
    { hostname: "a-name" },
  );
  assert.deepEqual(output.split("\n"), ["4", "sh", "a-name", "1", "refused", ""]);
});

test("users are found in the image, with their groups and home", async () => {
  const named = await runToEnd(shared.guest, "id; echo $HOME", { process: { user: "web" } });
  assert.equal(named.output, "uid=1000(web) gid=1000(web) groups=1000(web),2000(logs)\n/home/web\n");
  const numbers = { uid: 4000, gid: 3000, groups: [7, 8] };
  const numbered = await runToEnd(shared.guest, "id -u; id -g; id -G; echo > /dev/stdout", { process: numbers });
  assert.equal(numbered.output, "4000\n3000\n3000 7 8\n\n");
  await assert.rejects(
    shared.guest.run(tinyContainer("id", { process: { user: "nobody-here" } })),
    /unable to find user/,
  );
  await assert.rejects(shared.guest.run(tinyContainer("id", { process: { nonRoot: true } })), /runAsNonRoot/);
});

test("capabilities, no_new_privs and limits are what was asked for", async () => {
  const rlimits = [{ resource: 7, soft: 64n, hard: 128n }];
  const process = { capabilities: 1n << 10n, noNewPrivileges: true, rlimits, oomScoreAdj: 500, umask: 0o77 };
  const line = "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; ulimit -n; cat /proc/self/oom_score_adj; umask";
  const { output } = await runToEnd(shared.guest, line, { process });
  const expected = [
    "CapEff:\t0000000000000400",
    "CapBnd:\t0000000000000400",
    "NoNewPrivs:\t1",
    "64",
    "500",
    "0077",
    "",
  ];
  assert.deepEqual(output.split("\n"), expected);
});

test("a container's system calls are those of its profile", async () => {
  const capabilities = defaultCapabilities | (1n << 21n); // CAP_SYS_ADMIN, which alone would allow it
  const seccomp = assemble(defaultProfile(defaultCapabilities));
  const line = "grep Seccomp: /proc/self/status; mount -t tmpfs none /tmp || echo refused";
  const confined = await runToEnd(shared.guest, line, { process: { capabilities, seccomp } });
  assert.equal(confined.output, "Seccomp:\t2\nrefused\n");
  const free = await runToEnd(shared.guest, line, { process: { capabilities } });
  assert.equal(free.output, "Seccomp:\t0\n");
  const process = { seccomp, noNewPrivileges: true, uid: 1000 };
  assert.equal((await runToEnd(shared.guest, "id -u; ls / | wc -l", { process })).output, "1000\n9\n");
});

test("a container's device nodes do not work, only those it was given", async () => {
  const line =
    "for d in / /dev /tmp /dev/shm; do mknod $d/node c 1 8 && head -c 1 $d/node || echo refused; done; echo x > /dev/null && stat -c %F /dev/null";
  const { output } = await runToEnd(shared.guest, line);
  assert.equal(output, "refused\nrefused\nrefused\nrefused\ncharacter special file\n");
});

test("a root file system can be read-only, and otherwise keeps nothing for the next container", async () => {
  const fixed = await runToEnd(shared.guest, "touch /x || echo refused", {
    root: { layers: ["image"], readOnly: true },
  });
  assert.equal(fixed.output, "refused\n");
  assert.equal((await runToEnd(shared.guest, "touch /x && ls /x")).output, "/x\n");
  assert.equal((await runToEnd(shared.guest, "ls /x || echo gone")).output, "gone\n");
});

test("a container that uses too much memory is killed and says so", async () => {
  const limits = { memoryBytes: 16n << 20n };
  const { exit } = await runToEnd(shared.guest, "head -c 40000000 /dev/zero > /dev/shm/x", {
    limits,
  });
  assert.deepEqual([exit.oomKilled, exit.code], [true, 137]);
});

test("exec runs beside the first process, with input, and reports its end", async () => {
  await withContainer("sleep 100", async (container) => {
    const ran = await execToEnd(container, shell("cat; echo done; exit 7", { stdin: true }), "some input\n");
    assert.deepEqual([ran.output, ran.exit.code], ["some input\ndone\n", 7]);
    const seen = await execToEnd(container, shell("cat /proc/1/comm; hostname"));
    assert.equal(seen.output, `sleep\n${shared.intent.hostname}\n`);
    await assert.rejects(shared.guest.exec(container, { args: ["nonesuch"] }), /not found in \$PATH/);
  });
});

test("a terminal has a size, changes it, and ends its input", async () => {
  await withContainer("sleep 100", async (container) => {
    const process = { tty: true, stdin: true, rows: 24, columns: 80 };
    const { stream, exited } = await shared.guest.exec(
      container,
      shell("stty size; read x; stty size; tty; cat", process),
    );
    let output = "";
    const reading = (async () => {
      for await (const chunk of stream) {
        output += chunk.bytes.toString("utf8");
        if (output.endsWith("24 80\r\n")) {
          await shared.guest.resize(stream.number, { rows: 50, columns: 132 });
          await stream.input.write(Buffer.from("\n"));
          stream.input.end();
        }
      }
    })();
    await reading;
    assert.match(output, /^24 80\r\n\r\n50 132\r\n\/dev\/pts\/\d+\r\n/);
    assert.equal((await exited).code, 0);
  });
});

test("a container that floods its output does not keep an exec waiting", async () => {
  await withContainer("yes flood", async (container) => {
    await shared.guest.follow(container, 0n); // and nobody reads
    const begunMs = performance.now();
    for (let i = 0; i < 3; i++) assert.equal((await execToEnd(container, shell("echo here"))).output, "here\n");
    assert.ok(performance.now() - begunMs < 15_000);
  });
});

test("a large input reaches a process whole", async () => {
  await withContainer("sleep 100", async (container) => {
    const ran = await execToEnd(container, shell("wc -c", { stdin: true }), "x".repeat(1_000_000));
    assert.equal(ran.output.trim(), "1000000");
  });
});

test("volumes: memory, folders, single files, parts of a tree", async () => {
  const { guest } = shared;
  await guest.addVolume({ name: "mem", kind: "tmpfs", sizeBytes: 1n << 20n, mode: 0o1777 });
  await guest.addVolume({ name: "part", kind: "directory", on: "mem", mode: 0o750, gid: 2000 });
  const files = [{ path: "deep/er/file", content: Buffer.from("hello\n"), mode: 0o640, gid: 2000 }];
  await guest.request("files", { volume: "part", files });
  const mounts = [
    { volume: "part", target: "/data" },
    { volume: "part", path: "deep/er/file", target: "/etc/one-file", readOnly: true },
    { volume: "part", path: "made/here", target: "/var/run/made", create: true },
    { volume: "machine", path: "machine-id", target: "/etc/machine-id" },
  ];
  const line =
    "cat /data/deep/er/file /etc/one-file; stat -c '%a %g' /data; touch /etc/one-file || echo fixed; touch /var/run/made/x; ls /data/made/here; cat /etc/machine-id";
  const { output } = await runToEnd(guest, line, { mounts });
  assert.equal(output, `hello\nhello\n750 2000\nfixed\nx\n${shared.intent.machineId}\n`);
  const outside = tinyContainer("true", { mounts: [{ volume: "part", path: "../../../../etc", target: "/x" }] });
  await assert.rejects(guest.run(outside), /No such file/);
  await guest.request("dropVolume", { name: "part" });
  await guest.request("dropVolume", { name: "mem" });
});

test("a set of files is replaced at once, as Kubernetes lays it out", async () => {
  const { guest } = shared;
  await guest.addVolume({ name: "config", kind: "tmpfs" });
  const set = (names: Record<string, string>) =>
    Object.entries(names).map(([path, text]) => ({ path, content: Buffer.from(text) }));
  await guest.request("files", { volume: "config", atomic: true, version: "1", files: set({ a: "1", "d/b": "2" }) });
  const container = await guest.run(
    tinyContainer("sleep 100", { mounts: [{ volume: "config", target: "/c", readOnly: true }] }),
  );
  const look = async () =>
    (await execToEnd(container, shell("cd /c; cat a d/b c 2>/dev/null; echo; ls; readlink ..data"))).output;
  assert.equal(await look(), "12\na\nd\n..1\n");
  await guest.request("files", { volume: "config", atomic: true, version: "2", files: set({ a: "3", c: "4" }) });
  assert.equal(await look(), "34\na\nc\n..2\n");
  await guest.signal(container, 9);
  await container.exited;
  await guest.remove(container);
  await guest.request("dropVolume", { name: "config" });
});

test("the termination message is read back", async () => {
  const more = { terminationPath: "/dev/termination-log", process: { user: "web" } };
  const { exit } = await runToEnd(shared.guest, "echo -n why > /dev/termination-log; exit 1", more);
  assert.equal(Buffer.from(exit.message).toString("utf8"), "why");
});

test("containers may share their processes", async () => {
  const one = await shared.guest.run(tinyContainer("sleep 1234", { sharePids: true }));
  const { output } = await runToEnd(shared.guest, "ps", { sharePids: true });
  assert.match(output, /sleep 1234/);
  await shared.guest.signal(one, 15);
  assert.equal((await one.exited).signal, 15);
  await shared.guest.remove(one);
});

test("use is told for the machine, its containers and its volumes", async () => {
  await withContainer("while true; do true; done", async (container) => {
    const first = await shared.guest.request("usage", {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = await shared.guest.request("usage", {});
    const cpu = (usage: typeof first) => usage.containers.find((each) => each.stream === container.stream)?.cpuNs ?? 0n;
    assert.ok(cpu(second) > cpu(first));
    assert.ok((second.containers[0]?.workingSetBytes ?? 0n) > 0n);
    assert.ok((second.memoryAvailableBytes ?? 0n) < (second.memoryTotalBytes ?? 0n));
    assert.deepEqual(
      second.volumes.map((each) => each.name),
      ["image"],
    );
  });
});

test("a connection into the machine carries bytes both ways", async () => {
  await shared.guest.request("network", { addresses: [], routes: [] });
  await withContainer("echo pong | nc -l -p 8080; sleep 100", async () => {
    await assert.rejects(shared.guest.connect(81), { errno: 111 });
    let stream = await shared.guest.connect(8080).catch(() => undefined);
    for (let tries = 0; stream === undefined && tries < 100; tries++)
      stream = await shared.guest.connect(8080).catch(() => undefined);
    assert.ok(stream !== undefined);
    await stream.input.write(Buffer.from("ping\n"));
    stream.input.end();
    let text = "";
    for await (const chunk of stream) text += chunk.bytes.toString("utf8");
    assert.equal(text, "pong\n");
    await shared.guest.hangUp(stream);
  });
});

test("a disk can be plugged in, written, grown and taken away", async () => {
  const path = join(host.home, "volume.raw");
  await makeDisk(path, 16 << 20);
  await shared.attachDisk({ serial: "vol-1", path, readOnly: false });
  const volume = { name: "vol", kind: "disk", serial: "vol-1", filesystem: "ext4", timeoutMs: 10_000 } as const;
  await shared.guest.addVolume(volume);
  const mounts = [{ volume: "vol", target: "/data" }];
  const sizeOf = async () =>
    Number(
      (await runToEnd(shared.guest, "df -k /data | tail -n 1 | while read a b c; do echo $b; done", { mounts })).output,
    );
  await runToEnd(shared.guest, "echo kept > /data/file; sync", { mounts });
  const before = await sizeOf();
  await truncate(path, 32 << 20);
  await shared.resizeDisk("vol-1", 32 << 20);
  await shared.guest.growVolume("vol", 32 << 20);
  assert.ok((await sizeOf()) > before * 1.5);
  await shared.guest.request("own", { name: "vol", gid: 2000 });
  assert.equal(
    (await runToEnd(shared.guest, "stat -c '%g' /data/file; cat /data/file", { mounts })).output,
    "2000\nkept\n",
  );
  await shared.guest.request("dropVolume", { name: "vol" });
  await shared.detachDisk("vol-1");
});

test("QEMU is confined: user, rights, seccomp, namespaces, root and descriptors of its own", async () => {
  const processes = await readProcesses(shared.folder);
  assert.ok(processes !== undefined);
  const status = await readFile(`/proc/${processes.qemu}/status`, "utf8");
  const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1];
  const uid = `${shared.intent.uid}`;
  assert.equal(field("Uid"), [uid, uid, uid, uid].join("\t"));
  assert.equal(field("CapEff"), "0000000000000000");
  assert.equal(field("CapBnd"), "0000000000000000");
  assert.equal(field("NoNewPrivs"), "1");
  assert.equal(field("Seccomp"), "2");
  for (const space of ["mnt", "net", "pid", "ipc", "uts"])
    assert.notEqual(
      await readlink(`/proc/${processes.qemu}/ns/${space}`),
      await readlink(`/proc/self/ns/${space}`),
      space,
    );
  const root = `/proc/${processes.qemu}/root`;
  assert.deepEqual((await readdir(root)).sort(), ["bin", "dev", "files", "lib", "lib64", "proc", "usr"]);
  assert.deepEqual(await readdir(join(root, "files")), ["disk-image"]);
  await assert.rejects(writeFile(join(root, "usr/x"), ""), { code: "EROFS" });
  const fds = await readdir(`/proc/${processes.qemu}/fd`);
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/${processes.qemu}/fd/${fd}`).catch(() => "")));
  const allowed =
    /^(socket:|pipe:|anon_inode:|\/memfd:crx-ram|\/files\/disk-image|\/dev\/(null|urandom)|$)|\/state$|^\/null$/;
  assert.deepEqual(
    targets.filter((target) => !allowed.test(target)),
    [],
  );
});

test("a machine has its address on its tap, and is reached there", async () => {
  const tap = `crxt${process.pid}`.slice(0, 15);
  const ip = (line: string) => run("ip", line.split(" "));
  await ip(`tuntap add dev ${tap} mode tap`);
  try {
    await ip(`addr add 169.254.77.1/32 dev ${tap}`);
    await ip(`link set ${tap} up`);
    await ip(`route add 10.77.99.2/32 dev ${tap}`);
    const machine = await startMachine("on-a-tap", { tap });
    const gateway = Uint8Array.of(169, 254, 77, 1);
    const mac = Uint8Array.of(2, 0, 10, 77, 99, 2);
    const addresses = [{ address: Uint8Array.of(10, 77, 99, 2), length: 32 }];
    const routes = [{ to: { address: gateway, length: 32 } }, { gateway }];
    await machine.guest.request("network", { mac, mtu: 1400, addresses, routes });
    const line = "ip -o link show eth0; ip -o addr show eth0; ip route; echo pong | nc -l -p 80";
    const container = await machine.guest.run(tinyContainer(line));
    await machine.guest.follow(container, 0n);
    let seen = "";
    for await (const record of container.log) {
      seen += record.bytes.toString("utf8");
      if (seen.includes("default via")) break;
    }
    assert.match(seen, /mtu 1400 .*link\/ether 02:00:0a:4d:63:02/);
    assert.match(seen, /inet 10\.77\.99\.2\/32/);
    assert.doesNotMatch(seen, /inet6/, "no address but the given one");
    assert.match(seen, /default via 169\.254\.77\.1 dev eth0 onlink/);
    assert.equal(await fetchFrom("10.77.99.2", 80), "pong\n");
    await finish(machine);
  } finally {
    await ip(`link del ${tap}`);
  }
});

test("two copies of a template share no identity and no random numbers", async () => {
  const look = async (machine: Machine) => {
    const mounts = [{ volume: "machine", path: "machine-id", target: "/etc/machine-id" }];
    const line = "cat /proc/sys/kernel/random/boot_id /etc/machine-id; head -c 64 /dev/urandom | od -A n -t x1";
    return (await runToEnd(machine.guest, line, { mounts })).output.trim().split("\n");
  };
  const one = await startMachine("copy-1");
  const two = await startMachine("copy-2");
  const [first, second] = [await look(one), await look(two)];
  assert.equal(first.length, 6);
  assert.ok(first.every((line) => !second.includes(line)));
  await finish(one);
  await finish(two);
});

test("a machine boots when a boot is asked for, and ends within its grace period", async () => {
  const machine = await startMachine("booted", { start: "boot" });
  assert.equal(machine.state.phase === "running" ? machine.state.why : "", "a boot was asked for");
  const container = await machine.guest.run(tinyContainer("trap 'exit 5' TERM; while true; do sleep 0.1; done"));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const outcome = machine.shutDown(20_000);
  assert.equal((await container.exited).code, 5);
  assert.equal((await outcome).how, "shutDown");
  await machines.remove(machine);
});

test("a guest that panics is told as such, with its last words", async () => {
  const machine = await startMachine("panics");
  await machine.guest.request("sysctls", { settings: [{ name: "vm.panic_on_oom", value: "2" }] });
  const limits = { memoryBytes: 8n << 20n };
  await machine.guest.run(tinyContainer("head -c 40000000 /dev/zero > /dev/shm/x", { limits })).catch(() => undefined);
  assert.equal((await machine.gone).how, "panicked");
  assert.match(await machine.console(), /Kernel panic - not syncing/);
  await machines.remove(machine);
});

test("a QEMU that dies is told within two seconds", async () => {
  const machine = await startMachine("killed");
  const processes = await readProcesses(machine.folder);
  const begunMs = performance.now();
  process.kill(processes?.qemu ?? 0, "SIGKILL");
  const outcome = await machine.gone;
  assert.deepEqual([outcome.how, outcome.detail], ["crashed", "QEMU was ended by signal 9"]);
  assert.ok(performance.now() - begunMs < 2000);
  await machines.remove(machine);
});

test("a machine whose lease is not renewed ends, also without a driver", async () => {
  const machine = await startMachine("leased", { leaseMs: 1500 });
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await machine.renewLease();
  }
  assert.equal(machine.state.phase, "running");
  assert.equal((await machine.gone).how, "leaseLost");
  await machines.remove(machine);
});

test("a machine that cannot start says why, and leaves nothing", async () => {
  const spec = { id: "no-tap", owner: "a test", ...size, disks: [], tap: "nonesuch0" };
  await assert.rejects(machines.start(spec), { message: "nonesuch0: No such device" });
  const machine = machines.get("no-tap");
  assert.ok(machine !== undefined && machine.state.phase === "gone");
  assert.equal(machine.state.outcome.how, "neverStarted");
  await machines.remove(machine);
  await assert.rejects(stat(machine.folder), { code: "ENOENT" });
});
