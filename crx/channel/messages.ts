/**
 * What host and guest say to each other: the one table from which the TypeScript types, the C header and the
 * protocol's documentation come. Numbers are never used again for something else.
 * Source: docs/crx-protocol.md.
 */
import { bytes, defineMessage, flag, i32, many, nested, one, text, u32, u64 } from "./tlv.ts";

/** A container as the guest tells of it in its hello, and when it exits. Times are nanoseconds everywhere. */
export const ContainerReport = defineMessage("ContainerReport", {
  stream: one(1, u32),
  name: one(2, text),
  running: one(3, flag),
  /** Exit code; meaningless while running. */
  code: one(4, u32),
  /** Signal that ended it, or 0. */
  signal: one(5, u32),
  oomKilled: one(6, flag),
  startedNs: one(7, u64),
  finishedNs: one(8, u64),
  /** Termination message, at most 4096 bytes. */
  message: one(9, bytes),
  /** First log offset still held, and the one behind the last. */
  logStart: one(10, u64),
  logEnd: one(11, u64),
  pid: one(12, u32),
});

/** First frame of each side. */
export const Hello = defineMessage("Hello", {
  /** 16 random bytes of the host; the guest's hello begins with them. */
  session: one(6, bytes),
  protocol: one(1, u32),
  /** From the guest: digest of the init's sources. */
  build: one(2, text),
  kernel: one(3, text),
  /** Where the init is: 0 waits for its identity, 1 prepared as a template, 2 has its identity. */
  stage: one(4, u32),
  /** Containers the guest knows, for a host that comes back. */
  containers: many(5, nested(ContainerReport)),
});

/** Answer to a request that failed carries an errno in its header and a sentence here. */
export const Failure = defineMessage("Failure", { text: one(1, text), stage: one(2, text) });

/** Makes ready to be copied as a template: prepares container slots, then touches nothing. */
export const Prepare = defineMessage("Prepare", { slots: one(1, u32) });

/** Who the machine is, before anything else runs in it. */
export const Identify = defineMessage("Identify", {
  timeNs: one(1, u64),
  /** At least 32 bytes of the host's randomness. */
  entropy: one(2, bytes),
  /** 32 hex digits. */
  machineId: one(3, text),
  hostname: one(4, text),
  domain: one(5, text),
});

/** Sets the wall clock; the host sends it from time to time, because a paused machine loses time. */
export const SetTime = defineMessage("SetTime", { timeNs: one(1, u64) });

/** An address with the length of its prefix; 4 or 16 bytes. */
export const Prefix = defineMessage("Prefix", { address: one(1, bytes), length: one(2, u32) });

/** A route. Without a gateway the destination is on the link; without a destination it is the default. */
export const Route = defineMessage("Route", { to: one(1, nested(Prefix)), gateway: one(2, bytes) });

/** Sets the interface up: lo and eth0. */
export const Network = defineMessage("Network", {
  mac: one(1, bytes),
  mtu: one(2, u32),
  addresses: many(3, nested(Prefix)),
  routes: many(4, nested(Route)),
});

/** One kernel setting of the machine, as net.ipv4.ip_unprivileged_port_start. */
export const Sysctl = defineMessage("Sysctl", { name: one(1, text), value: one(2, text) });

/** Several settings; the first that fails ends the request. */
export const Sysctls = defineMessage("Sysctls", { settings: many(1, nested(Sysctl)) });

/** Kinds of volume. */
export const volumeKinds = { tmpfs: 1, disk: 2, directory: 3 } as const;

/** Makes a named directory tree that containers can mount. */
export const Volume = defineMessage("Volume", {
  name: one(1, text),
  kind: one(2, u32),
  /** tmpfs: most bytes; 0 for half the memory. */
  sizeBytes: one(3, u64),
  /** Permission bits of the top directory. */
  mode: one(4, u32),
  uid: one(5, u32),
  gid: one(6, u32),
  /** disk: its serial number, and its file system: erofs or ext4. */
  serial: one(7, text),
  filesystem: one(8, text),
  readOnly: one(9, flag),
  /** directory: the volume that holds it. */
  on: one(10, text),
  /** disk: how long to wait until it is there. */
  timeoutMs: one(11, u32),
});

/** Names a volume. */
export const VolumeName = defineMessage("VolumeName", { name: one(1, text) });

/** Grows the file system of a disk volume to its disk's size. */
export const GrowVolume = defineMessage("GrowVolume", {
  name: one(1, text),
  /** Refused with EAGAIN while the guest sees a smaller disk than this. */
  sizeBytes: one(2, u64),
});

/** Gives a volume's files to a group, as fsGroup does. */
export const Own = defineMessage("Own", {
  name: one(1, text),
  gid: one(2, u32),
  /** Leaves the tree alone when its top already fits. */
  onlyOnMismatch: one(3, flag),
});

/** One file to write. A link target makes it a symbolic link. */
export const File = defineMessage("File", {
  path: one(1, text),
  content: one(2, bytes),
  mode: one(3, u32),
  uid: one(4, u32),
  gid: one(5, u32),
  link: one(6, text),
});

/** Writes files into a volume. */
export const Files = defineMessage("Files", {
  volume: one(1, text),
  files: many(2, nested(File)),
  /**
   * Replaces the volume's whole set of files at once: they go into a new directory, and one symbolic link is swapped,
   * as Kubernetes' AtomicWriter lays it out. Otherwise each file is rewritten in place.
   */
  atomic: one(3, flag),
  /** atomic: name of the new directory; must differ from the last one. */
  version: one(4, text),
});

/** A resource limit by its number in Linux. */
export const Rlimit = defineMessage("Rlimit", { resource: one(1, u32), soft: one(2, u64), hard: one(3, u64) });

/** What to execute and as whom. */
export const Process = defineMessage("Process", {
  args: many(1, text),
  env: many(2, text),
  cwd: one(3, text),
  /** USER or USER:GROUP, names or numbers, looked up in the root's own /etc/passwd and /etc/group. */
  user: one(4, text),
  /** Numbers that win over `user`. */
  uid: one(5, u32),
  gid: one(6, u32),
  groups: many(7, u32),
  /** Bounding set, as a mask by capability number; nothing is inheritable or ambient. */
  capabilities: one(8, u64),
  noNewPrivileges: one(9, flag),
  /** A classic BPF program, 8 bytes an instruction. */
  seccomp: one(10, bytes),
  rlimits: many(11, nested(Rlimit)),
  oomScoreAdj: one(12, i32),
  tty: one(13, flag),
  rows: one(14, u32),
  columns: one(15, u32),
  stdin: one(16, flag),
  /** Refuses to run as user 0, whatever named it. */
  nonRoot: one(17, flag),
  umask: one(18, u32),
});

/** A volume, or something in it, seen at a place in a container. */
export const Mount = defineMessage("Mount", {
  volume: one(1, text),
  /** Inside the volume; may not lead out of it. */
  path: one(2, text),
  target: one(3, text),
  readOnly: one(4, flag),
  /** Makes `path` as a directory when it is missing. */
  create: one(5, flag),
});

/** The root of a container: an overlay of read-only volumes under a writable directory. */
export const Root = defineMessage("Root", {
  /** Volume names, uppermost first. */
  layers: many(1, text),
  /** Volume that takes what the container writes. */
  upper: one(2, text),
  readOnly: one(3, flag),
});

/** What a container may use. Zero or absent means no limit. */
export const Limits = defineMessage("Limits", {
  memoryBytes: one(1, u64),
  /** Nanoseconds of CPU in each `cpuPeriodNs`. */
  cpuQuotaNs: one(2, u64),
  cpuPeriodNs: one(3, u64),
  /** cgroup v2 weight, 1 to 10000. */
  cpuWeight: one(4, u32),
  pids: one(5, u32),
  /** memory.low. */
  memoryLowBytes: one(6, u64),
});

/** Starts a container. */
export const Run = defineMessage("Run", {
  stream: one(1, u32),
  name: one(2, text),
  process: one(3, nested(Process)),
  root: one(4, nested(Root)),
  mounts: many(5, nested(Mount)),
  limits: one(6, nested(Limits)),
  hostname: one(7, text),
  /** Sees and signals the processes of all containers that say so too. */
  sharePids: one(8, flag),
  /** An IPC namespace of its own; otherwise the machine's. */
  ownIpc: one(9, flag),
  /** How much unacknowledged output the guest keeps; the container waits when that is full. */
  logBytes: one(10, u32),
  /** File that the termination message is read from; made by the guest. */
  terminationPath: one(11, text),
  shmBytes: one(12, u64),
  /** Leaves /proc and /sys unmasked, for a container that is root of its machine anyway. */
  unmasked: one(13, flag),
});

/** Gives a running container other limits; what is absent stays. */
export const Limit = defineMessage("Limit", { container: one(1, u32), limits: one(2, nested(Limits)) });

/** What came of a start. */
export const Started = defineMessage("Started", { pid: one(1, u32), startedNs: one(2, u64) });

/** Runs another process in a container. */
export const Exec = defineMessage("Exec", {
  container: one(1, u32),
  stream: one(2, u32),
  process: one(3, nested(Process)),
});

/** Sends a signal to a container's first process or an exec session's. */
export const Signal = defineMessage("Signal", { stream: one(1, u32), signal: one(2, u32), all: one(3, flag) });

/** Names a stream. */
export const StreamName = defineMessage("StreamName", { stream: one(1, u32) });

/** Tells a terminal its size. */
export const Resize = defineMessage("Resize", { stream: one(1, u32), rows: one(2, u32), columns: one(3, u32) });

/** Starts sending a container's log from an offset. */
export const Subscribe = defineMessage("Subscribe", { stream: one(1, u32), offset: one(2, u64) });

/** Where a log begins: later than asked if the guest no longer has it. */
export const Subscribed = defineMessage("Subscribed", { offset: one(1, u64) });

/** Opens a TCP connection inside the machine. Without an address: loopback, IPv4 first. */
export const Connect = defineMessage("Connect", { stream: one(1, u32), port: one(2, u32), address: one(3, bytes) });

/** Use by one container. */
export const ContainerUsage = defineMessage("ContainerUsage", {
  stream: one(1, u32),
  cpuNs: one(2, u64),
  memoryBytes: one(3, u64),
  workingSetBytes: one(4, u64),
  rssBytes: one(5, u64),
  pids: one(6, u32),
  oomKills: one(7, u32),
  pageFaults: one(8, u64),
  majorPageFaults: one(9, u64),
  throttledNs: one(10, u64),
});

/** Use of a volume. */
export const VolumeUsage = defineMessage("VolumeUsage", {
  name: one(1, text),
  totalBytes: one(2, u64),
  availableBytes: one(3, u64),
  inodes: one(4, u64),
  inodesFree: one(5, u64),
});

/** Use by the whole machine. */
export const Usage = defineMessage("Usage", {
  timeNs: one(1, u64),
  memoryTotalBytes: one(2, u64),
  memoryAvailableBytes: one(3, u64),
  cpuNs: one(4, u64),
  rxBytes: one(5, u64),
  txBytes: one(6, u64),
  rxErrors: one(7, u64),
  txErrors: one(8, u64),
  containers: many(9, nested(ContainerUsage)),
  volumes: many(10, nested(VolumeUsage)),
});

/** Ends the machine: SIGTERM to every container, SIGKILL after the grace period, disks unmounted, power off. */
export const Shutdown = defineMessage("Shutdown", { graceMs: one(1, u32) });

/** No fields. */
export const Nothing = defineMessage("Nothing", {});

/** Requests: number, what is sent, what comes back. */
export const operations = {
  prepare: { number: 1, request: Prepare, reply: Nothing },
  identify: { number: 2, request: Identify, reply: Nothing },
  setTime: { number: 3, request: SetTime, reply: Nothing },
  network: { number: 4, request: Network, reply: Nothing },
  sysctls: { number: 5, request: Sysctls, reply: Nothing },
  volume: { number: 6, request: Volume, reply: Nothing },
  dropVolume: { number: 7, request: VolumeName, reply: Nothing },
  growVolume: { number: 8, request: GrowVolume, reply: Nothing },
  own: { number: 9, request: Own, reply: Nothing },
  files: { number: 10, request: Files, reply: Nothing },
  run: { number: 11, request: Run, reply: Started },
  exec: { number: 12, request: Exec, reply: Started },
  signal: { number: 13, request: Signal, reply: Nothing },
  remove: { number: 14, request: StreamName, reply: Nothing },
  resize: { number: 15, request: Resize, reply: Nothing },
  subscribe: { number: 16, request: Subscribe, reply: Subscribed },
  connect: { number: 17, request: Connect, reply: Nothing },
  usage: { number: 18, request: Nothing, reply: Usage },
  shutdown: { number: 19, request: Shutdown, reply: Nothing },
  close: { number: 20, request: StreamName, reply: Nothing },
  limit: { number: 21, request: Limit, reply: Nothing },
} as const;

/** Name of a request. */
export type Operation = keyof typeof operations;

/** What the guest says unasked. */
export const events = {
  /** A container or an exec session ended; what it wrote comes before, for an exec session. */
  exited: { number: 1, message: ContainerReport },
  /** The kernel killed something in a container for want of memory. */
  oom: { number: 2, message: StreamName },
  /** Everything is unmounted; the machine goes off now. */
  goodbye: { number: 3, message: Nothing },
} as const;

/** Sub-streams of data and eof frames. */
export const subStreams = { input: 0, output: 1, errors: 2 } as const;

/** A log record is this header and its bytes: time u64 in ns, source u8 (1 output, 2 errors), zero u8, length u16. */
export const logRecordHeader = 12;

/** Limits both sides keep to. */
export const limits = {
  containers: 64,
  streams: 192,
  volumes: 96,
  /** Longest request, over all its frames. */
  requestBytes: 8 << 20,
  /** Longest reply, over all its frames. */
  replyBytes: 256 << 10,
  /** Credit for input that the guest grants at first. */
  inputWindow: 64 << 10,
  terminationMessageBytes: 4096,
} as const;

/** Every message, for the C header. */
export const messages = [
  Hello,
  ContainerReport,
  Failure,
  Prepare,
  Identify,
  SetTime,
  Prefix,
  Route,
  Network,
  Sysctl,
  Sysctls,
  Volume,
  VolumeName,
  GrowVolume,
  Own,
  File,
  Files,
  Rlimit,
  Process,
  Mount,
  Root,
  Limits,
  Limit,
  Run,
  Started,
  Exec,
  Signal,
  StreamName,
  Resize,
  Subscribe,
  Subscribed,
  Connect,
  ContainerUsage,
  VolumeUsage,
  Usage,
  Shutdown,
] as const;
