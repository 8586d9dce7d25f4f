/** Examines the host: what pods need, tried out rather than looked up wherever that is possible. */
import { createServer } from "node:net";
import { open, readFile, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import type { Verdict } from "@atoll/crx/host";
import { baseRules } from "@atoll/net/ruleset";
import { run } from "@atoll/net/run";
import type { Finding } from "./finding.ts";

/** What is examined. */
export interface DoctorOptions {
  readonly data: string;
  /** Debian packages that are missing, and the command that brings them. */
  readonly missing: readonly string[];
  readonly installCommand: string;
  /** Boots a guest and says how it went. */
  probe(): Promise<Verdict>;
  /** Ports by what they are for, as this data directory would use them. */
  readonly ports: Readonly<Record<string, { address: string; port: number }>>;
  /** Whether what is up here holds the ports itself. */
  readonly isUp: boolean;
}

const leastFreeBytes = 4 * 2 ** 30;
const leastMemoryBytes = 2 * 2 ** 30;
const oldestQemu = [7, 2] as const;

/** Every finding, in the order in which a person mends things. */
export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  const { data, isUp, ports } = options;
  return [
    rights(),
    packagesFinding(options),
    await qemu(),
    await accelerator(options),
    await tuns(),
    await rules(),
    await otherFirewalls(),
    await groups(),
    await disk(data),
    memory(),
    ...(await Promise.all(Object.entries(ports).map(async ([what, where]) => await portFinding(what, where, isUp)))),
  ];
}

function rights(): Finding {
  const what = "rights";
  if (process.getuid?.() === 0) return { what, state: "ok", says: "root" };
  return { what, state: "bad", says: "not root: there is the API, but no pods", mend: "run it with sudo" };
}

function packagesFinding({ missing, installCommand }: DoctorOptions): Finding {
  const what = "packages";
  if (missing.length === 0) return { what, state: "ok", says: "all there" };
  return { what, state: "bad", says: `missing: ${missing.join(" ")}`, mend: installCommand };
}

async function qemu(): Promise<Finding> {
  const what = "QEMU";
  const said = await run("qemu-system-x86_64", ["--version"]).catch(() => undefined);
  if (said === undefined) return { what, state: "bad", says: "not there", mend: "apt-get install qemu-system-x86" };
  const [, version = "", major = "0", minor = "0"] = /version ((\d+)\.(\d+)\S*)/.exec(said) ?? [];
  const [wantedMajor, wantedMinor] = oldestQemu;
  const isOld = Number(major) < wantedMajor || (Number(major) === wantedMajor && Number(minor) < wantedMinor);
  if (!isOld) return { what, state: "ok", says: version };
  return { what, state: "bad", says: `${version} is older than ${oldestQemu.join(".")}`, mend: "upgrade the host" };
}

async function accelerator({ probe }: DoctorOptions): Promise<Finding> {
  const what = "accelerator";
  const verdict = await probe().catch((error: unknown) => String(error));
  if (typeof verdict === "string") return { what, state: "bad", says: `no guest could be booted: ${verdict}` };
  if (verdict.accelerator === "kvm") return { what, state: "ok", says: `KVM: ${verdict.reason}` };
  const mend = "in the firmware turn on virtualization, in a virtual machine nested virtualization";
  return { what, state: "warn", says: `emulation (TCG): ${shortReason(verdict)}`, mend };
}

/** Without what QEMU itself said, which is long and in the JSON of the Node. */
const shortReason = ({ reason }: Verdict): string => reason.split(" (")[0] ?? reason;

/** Makes one in a namespace that vanishes. */
async function tuns(): Promise<Finding> {
  const what = "taps";
  const device = await open("/dev/net/tun", "r+").then(
    async (file) => await file.close(),
    (error: Error) => error.message,
  );
  if (device !== undefined) return { what, state: "bad", says: device, mend: "modprobe tun" };
  return await tried(what, "can be made", async () => {
    await run("unshare", ["--net", "ip", "tuntap", "add", "dev", "attest", "mode", "tap"]);
  });
}

/** Sets the real rules in a namespace that vanishes. */
async function rules(): Promise<Finding> {
  const names = { table: "atoll_test", tapPrefix: "attest", overlay: "attestv", announced: "lo:attest" };
  const ranges = { podRange: "10.244.0.0/24", clusterRange: "10.244.0.0/16", serviceRange: "10.96.0.0/12" };
  const text = baseRules({ names, ...ranges, hostServices: [] });
  return await tried("nftables", "takes the rules of pods", async () => {
    await run("unshare", ["--net", "nft", "-f", "-"], text);
  });
}

async function tried(what: string, says: string, act: () => Promise<void>): Promise<Finding> {
  try {
    await act();
    return { what, state: "ok", says };
  } catch (error) {
    const text = (error as Error).message.split("\n")[0] ?? "";
    return { what, state: "bad", says: text, mend: "the kernel needs nf_tables with NAT and tun, and the call root" };
  }
}

/** What drops all forwarded packets drops those of pods. */
async function otherFirewalls(): Promise<Finding> {
  const what = "firewalls";
  const listed = await run("nft", ["--json", "list", "chains"]).catch(() => undefined);
  if (listed === undefined) return { what, state: "warn", says: "could not be listed" };
  const { nftables } = JSON.parse(listed) as { nftables: readonly { chain?: Record<string, string> }[] };
  const dropping = nftables.flatMap(({ chain }) =>
    chain?.["hook"] === "forward" && chain["policy"] === "drop" ? [`${chain["family"]} ${chain["table"]}`] : [],
  );
  if (dropping.length === 0) return { what, state: "ok", says: "none drops what is forwarded" };
  const says = `${dropping.join(", ")} drops forwarded packets, pods' too`;
  return {
    what,
    state: "bad",
    says,
    mend: "accept interfaces named at* there (iptables -I FORWARD -i at+ -j ACCEPT, and -o)",
  };
}

async function groups(): Promise<Finding> {
  const what = "control groups";
  const has = async (path: string) =>
    await readFile(`/sys/fs/cgroup/${path}`).then(
      () => true,
      () => false,
    );
  if (await has("cgroup.controllers")) return { what, state: "ok", says: "version 2" };
  if (await has("memory/cgroup.procs")) return { what, state: "ok", says: "version 1" };
  const mend = "mount -t cgroup2 none /sys/fs/cgroup";
  return { what, state: "warn", says: "none: machines' own limits hold, the host's do not", mend };
}

async function disk(data: string): Promise<Finding> {
  const what = "disk";
  const { bavail, bsize } = await statfs(data).catch(async () => await statfs("/"));
  const free = bavail * bsize;
  const says = `${(free / 2 ** 30).toFixed(1)} GiB free for ${data}`;
  if (free >= leastFreeBytes) return { what, state: "ok", says };
  return { what, state: "warn", says, mend: "free some, or give --data a larger file system" };
}

function memory(): Finding {
  const what = "memory";
  const says = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  if (totalmem() >= leastMemoryBytes) return { what, state: "ok", says };
  return { what, state: "warn", says: `${says}: room for few pods`, mend: "give the machine 2 GiB or more" };
}

async function portFinding(
  what: string,
  { address, port }: { address: string; port: number },
  isUp: boolean,
): Promise<Finding> {
  const name = `port of the ${what}`;
  const isFree = await new Promise<boolean>((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, address, () => probe.close(() => done(true)));
  });
  if (isFree) return { what: name, state: "ok", says: `${port} is free` };
  if (isUp) return { what: name, state: "ok", says: `${port} is in use by what is up here` };
  return { what: name, state: "warn", says: `${port} is taken`, mend: "up takes another, or tell it which" };
}
