/**
 * The small kernel: built from Debian's linux-source with nothing in it but what a machine has. Everything is
 * built in, devices are told on the command line, and mitigations are left to the host, so that a guest under TCG
 * has less code to translate and less memory to keep.
 */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { digestOf, writeWhole } from "../cache.ts";
import { run } from "../run.ts";
import type { UnpackedKernel } from "./debian.ts";
import { smallKernelRecord } from "./system.ts";

const metaPackage = "linux-source";

/** Options by what they are for, without CONFIG_. `tinyconfig` is the ground they stand on. */
export const smallConfig: Readonly<Record<string, readonly string[]>> = {
  machine:
    "64BIT SMP X86_X2APIC X86_MPPARSE HYPERVISOR_GUEST PARAVIRT KVM_GUEST PVH X86_TSC X86_IOPL_IOPERM HIGH_RES_TIMERS NO_HZ_IDLE HZ_100 PREEMPT_NONE RELOCATABLE".split(
      " ",
    ),
  images: "BLK_DEV_INITRD BINFMT_ELF BINFMT_SCRIPT COREDUMP".split(" "),
  messages: "PRINTK PRINTK_TIME BUG TTY UNIX98_PTYS SERIAL_8250 SERIAL_8250_CONSOLE PANIC_ON_OOPS".split(" "),
  calls:
    "MULTIUSER FUTEX EPOLL SIGNALFD TIMERFD EVENTFD SHMEM AIO IO_URING ADVISE_SYSCALLS MEMBARRIER RSEQ POSIX_TIMERS FHANDLE FILE_LOCKING SYSVIPC POSIX_MQUEUE INOTIFY_USER FANOTIFY USERFAULTFD KCMP CROSS_MEMORY_ATTACH BPF_SYSCALL SYSCTL PROC_SYSCTL SYSFS_SYSCALL".split(
      " ",
    ),
  containers:
    "NAMESPACES UTS_NS TIME_NS IPC_NS USER_NS PID_NS NET_NS CGROUPS MEMCG CGROUP_SCHED FAIR_GROUP_SCHED CFS_BANDWIDTH CGROUP_PIDS CGROUP_FREEZER CGROUP_DEVICE CGROUP_BPF CPUSETS BLK_CGROUP SECCOMP SECCOMP_FILTER".split(
      " ",
    ),
  files:
    "BLOCK PROC_FS SYSFS TMPFS TMPFS_XATTR TMPFS_POSIX_ACL DEVTMPFS EXT4_FS EXT4_FS_POSIX_ACL EXT4_FS_SECURITY MISC_FILESYSTEMS EROFS_FS EROFS_FS_XATTR EROFS_FS_POSIX_ACL EROFS_FS_SECURITY EROFS_FS_ZIP OVERLAY_FS".split(
      " ",
    ),
  devices:
    "VIRTIO_MENU VIRTIO_MMIO VIRTIO_MMIO_CMDLINE_DEVICES VIRTIO_BALLOON PAGE_REPORTING BLK_DEV VIRTIO_BLK VIRTIO_CONSOLE HW_RANDOM HW_RANDOM_VIRTIO SCSI BLK_DEV_SD SCSI_LOWLEVEL SCSI_VIRTIO NETDEVICES NET_CORE VIRTIO_NET".split(
      " ",
    ),
  network:
    "NET UNIX INET IPV6 PACKET IP_MULTICAST IP_MULTIPLE_TABLES IP_ADVANCED_ROUTER INET_DIAG TCP_CONG_ADVANCED TCP_CONG_CUBIC SYN_COOKIES".split(
      " ",
    ),
};

/** What `tinyconfig` or defaults would switch on, or guests do not want. */
export const smallConfigOff: readonly string[] =
  "MODULES ACPI PCI IA32_EMULATION X86_X32_ABI SPECULATION_MITIGATIONS STACKPROTECTOR AUDIT SECURITY VT DEBUG_KERNEL FTRACE KALLSYMS SWAP MSDOS_PARTITION EFI_PARTITION IPV6_SIT ETHERNET WLAN RTC_CLASS UNUSED_BOARD_FILES".split(
    " ",
  );

/**
 * Lets the host tell the frequency of the local APIC's timer, which every emulated machine knows: measuring it takes
 * a fifth of a second under TCG, a third of such a kernel's boot. Appended to arch/x86/kernel/apic/apic.c.
 */
const apicTimerOption = `
static int __init atoll_apic_timer_hz(char *text)
{
	unsigned long hz;

	if (!text || kstrtoul(text, 0, &hz) || hz < HZ)
		return -EINVAL;
	lapic_timer_period = hz / HZ;
	return 0;
}
early_param("atoll_apic_timer_hz", atoll_apic_timer_hz);
`;

/** The fragment that is laid over `tinyconfig`. */
export function configFragment(): string {
  const on = Object.values(smallConfig).flatMap((options) => options.map((name) => `CONFIG_${name}=y`));
  const off = smallConfigOff.map((name) => `# CONFIG_${name} is not set`);
  const values = ['CONFIG_LOCALVERSION="-atoll"', "CONFIG_NR_CPUS=64", "CONFIG_PANIC_TIMEOUT=-1"];
  return [...on, ...off, ...values, ""].join("\n");
}

/**
 * Builds the small kernel into the cache, where `prepareGuestSystem` finds it. Takes 3 to 15 minutes of CPU.
 * @param cache the cache folder
 * @param report is told each step
 * @throws {ProgramFailed} a step failed; nothing is changed then
 */
export async function buildSmallKernel(cache: string, report: (step: string) => void): Promise<UnpackedKernel> {
  const home = dirname(smallKernelRecord(cache));
  await mkdir(dirname(home), { recursive: true });
  const draft = await mkdtemp(join(dirname(home), ".small-"));
  try {
    const { source, version } = await unpackSource(draft, report);
    await appendFile(join(source, "arch", "x86", "kernel", "apic", "apic.c"), apicTimerOption);
    await configure(source, report);
    report("compile");
    await run("nice", ["make", "-s", `-j${cpus().length}`, "vmlinux"], { cwd: source });
    const release = (await run("make", ["-s", "kernelrelease"], { cwd: source })).toString("utf8").trim();
    return await keep({ home, draft, source, release, version });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function unpackSource(
  draft: string,
  report: (step: string) => void,
): Promise<{ source: string; version: string }> {
  report("fetch linux-source");
  const depends = (await run("apt-cache", ["depends", metaPackage])).toString("utf8");
  const name = /Depends: (linux-source-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`apt knows no ${metaPackage}; run apt-get update`);
  await run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", name], { cwd: draft });
  const archive = (await readdir(draft)).find((each) => each.endsWith(".deb"));
  if (archive === undefined) throw new Error(`apt-get download ${name} left no package`);
  const version = (await run("dpkg-deb", ["-f", archive, "Version"], { cwd: draft })).toString("utf8").trim();
  report("unpack");
  await run("dpkg-deb", ["-x", archive, "package"], { cwd: draft });
  await run("tar", ["-xJf", join("package", "usr", "src", `${name}.tar.xz`)], { cwd: draft });
  return { source: join(draft, name), version };
}

async function configure(source: string, report: (step: string) => void): Promise<void> {
  report("configure");
  await writeFile(join(source, "atoll.config"), configFragment());
  await run("make", ["-s", "tinyconfig"], { cwd: source });
  await run("./scripts/kconfig/merge_config.sh", ["-m", ".config", "atoll.config"], { cwd: source });
  await run("make", ["-s", "olddefconfig"], { cwd: source });
  const config = await readFile(join(source, ".config"), "utf8");
  const missing = Object.values(smallConfig)
    .flat()
    .filter((name) => !config.includes(`CONFIG_${name}=y\n`));
  if (missing.length > 0) report(`not taken by this kernel: ${missing.join(" ")}`);
}

async function keep(built: {
  home: string;
  draft: string;
  source: string;
  release: string;
  version: string;
}): Promise<UnpackedKernel> {
  const { home, draft, source, release, version } = built;
  await run("strip", ["-o", join(draft, "vmlinux"), join(source, "vmlinux")]);
  const vmlinux = await readFile(join(draft, "vmlinux"));
  const record: UnpackedKernel = {
    release,
    version,
    vmlinux: join(home, "vmlinux"),
    vmlinuxDigest: digestOf(vmlinux),
    modules: undefined,
  };
  const ready = join(draft, "ready");
  await writeWhole(join(ready, "vmlinux"), vmlinux);
  await writeWhole(join(ready, "config"), await readFile(join(source, ".config")));
  await writeWhole(join(ready, "kernel.json"), JSON.stringify(record, undefined, 2));
  await rm(home, { recursive: true, force: true });
  await rename(ready, home);
  return record;
}
