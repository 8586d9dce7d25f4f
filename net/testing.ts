/**
 * For tests: a host of one's own in a network namespace, with pods that stand at real taps. A pod is a namespace whose
 * eth0 is the other end of its tap, with a small program between that copies packets, as QEMU would.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Attachment } from "./network.ts";
import { run } from "./run.ts";

const mark = "ATOLL_OWN_NETWORK";

/** Why real packets cannot be tested here; undefined when they can. */
export async function obstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  for (const [program, flag] of [
    ["nft", "--version"],
    ["conntrack", "--version"],
    ["ip", "-V"],
    ["unshare", "--version"],
    ["perl", "-v"],
  ] as const) {
    const missing = await run(program, [flag]).then(
      () => false,
      () => true,
    );
    if (missing) return `needs ${program}`;
  }
  return undefined;
}

/** Whether this process has a network of its own already. */
export const insideOwnNetwork = (): boolean => process.env[mark] === "1";

/** Runs a test file again in a network namespace of its own, with a /run/netns that vanishes with it. */
export async function inOwnNetwork(file: string): Promise<{ code: number; output: string }> {
  const script = 'mount -t tmpfs none /run && mkdir /run/netns && ip link set lo up && exec "$@"';
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const args = ["--net", "--mount", "sh", "-c", script, "sh", process.execPath, ...process.execArgv, file];
  return await new Promise((resolve) => {
    const options = { env: { ...environment, [mark]: "1" }, timeout: 480_000, maxBuffer: 16 << 20 };
    execFile("unshare", args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

/** Copies packets between a tap of this namespace and eth0 of a pod's. */
const pump = `
use strict;
sub tap { my ($name) = @_;
  open(my $fh, "+<", "/dev/net/tun") or die "tun: $!";
  my $request = pack("a16 s x22", $name, 0x0002 | 0x1000);
  ioctl($fh, 0x400454ca, $request) or die "tap $name: $!";
  return $fh; }
my ($outer, $netns) = @ARGV;
my $host = tap($outer);
open(my $ns, "<", "/run/netns/$netns") or die "netns: $!";
syscall(308, fileno($ns), 0) == 0 or die "setns: $!";
my $pod = tap("eth0");
$| = 1; print "ready\\n";
while (1) {
  my $bits = ""; vec($bits, fileno($_), 1) = 1 for ($host, $pod);
  select($bits, undef, undef, undef);
  for ([$host, $pod], [$pod, $host]) {
    my ($from, $to) = @$_;
    next unless vec($bits, fileno($from), 1);
    sysread($from, my $packet, 65536); syswrite($to, $packet); } }
`;

/** Someone with a network namespace of the name. */
export class Neighbour {
  readonly name: string;
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Runs commands of ip(8) there. */
  async configure(lines: readonly string[]): Promise<void> {
    await run("ip", ["-netns", this.name, "-batch", "-"], `${lines.join("\n")}\n`);
  }

  /** Answers connections to a port with its name, or another, and the caller's address. */
  async serve(port: number, protocol: "tcp" | "udp" = "tcp", name = this.name): Promise<void> {
    const command = [process.execPath, peer, "serve", protocol, `${port}`, name];
    await this.start("ip", ["netns", "exec", this.name, ...command]);
  }

  /** What answers at an address: its answer, or the word for what went wrong. */
  async call(address: string, port: number, more: { protocol?: "tcp" | "udp"; from?: string } = {}): Promise<string> {
    const { protocol = "tcp", from = "" } = more;
    const command = [process.execPath, peer, "call", protocol, address, `${port}`, from];
    return (await run("ip", ["netns", "exec", this.name, ...command])).trim();
  }

  /** Calls over UDP again and again from one port. @returns each new answer, or the word for what went wrong */
  keepCalling(address: string, port: number): AsyncIterator<string> {
    const command = [process.execPath, peer, "keep", "udp", address, `${port}`];
    const child = spawn("ip", ["netns", "exec", this.name, ...command], { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Ends what runs there, and the namespace. */
  async stop(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await run("ip", ["netns", "delete", this.name]);
  }

  /** Starts a program that says a line when it is ready, and runs until the end. */
  async start(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", () => resolve());
      child.once("exit", (code) => reject(new Error(`${program} of ${this.name} ended with ${code}`)));
    });
  }
}

/** A pod at its tap. */
export class TestPod extends Neighbour {
  readonly attachment: Attachment;

  private constructor(name: string, attachment: Attachment) {
    super(name);
    this.attachment = attachment;
  }

  /** Makes the namespace and stands it at the tap. */
  static async at(name: string, attachment: Attachment): Promise<TestPod> {
    const pod = new TestPod(name, attachment);
    await run("ip", ["netns", "add", name]);
    await pod.start("perl", ["-e", pump, attachment.tap, name]);
    const { mac, address, gateway, mtu } = attachment;
    await pod.configure([
      "link set lo up",
      `link set eth0 address ${mac} mtu ${mtu} up`,
      `address add ${address}/32 dev eth0`,
      `route add ${gateway}/32 dev eth0`,
      `route add default via ${gateway} dev eth0`,
    ]);
    return pod;
  }
}

/** Both ends of a conversation, as a program. */
const peer = join(import.meta.dirname, "testpeer.ts");

/** Calls from this namespace itself. */
export async function callFromHost(address: string, port: number): Promise<string> {
  return (await run(process.execPath, [peer, "call", "tcp", address, `${port}`, ""])).trim();
}
