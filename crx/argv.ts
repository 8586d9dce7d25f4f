/**
 * A machine as arguments of QEMU: pure, so that a template and its copies have, by construction, the same devices in
 * the same order. Values that may hold a comma never go into an option string: files have names of our own making.
 * Source: QEMU 7.2 qemu-options.hx, docs/system/i386/microvm.rst; design figures in docs/rfd/0010-crx.md.
 */
import { blockSlots } from "./spec.ts";

/** Descriptors QEMU is started with; shim.h has the same numbers. */
export const descriptors = { qmp: 3, channel: 4, console: 5, tap: 6, ram: 7, state: 8, monitor: 9 } as const;

/** How QEMU executes the guest. */
export type AcceleratorName = "kvm" | "tcg";

/** How a machine comes into being. */
export type Birth = "boot" | "template" | "clone";

/** What of a machine shows in QEMU's arguments. */
export interface Shape {
  readonly memoryMiB: number;
  readonly vcpus: number;
  readonly accelerator: AcceleratorName;
  readonly acpi: boolean;
}

/** A disk in a slot, by its name in the machine's files. */
export interface SlotDisk {
  readonly file: string;
  readonly serial: string;
  readonly readOnly: boolean;
}

/** What a machine has behind its devices. */
export interface Backing {
  readonly birth: Birth;
  readonly disks: readonly SlotDisk[];
  readonly tap: boolean;
  /** For the kernel's command line; undefined on a host that does not know it. */
  readonly tscKhz: number | undefined;
}

/** Where QEMU is, before and after the shim's walls. */
export const qemuPath = "/usr/bin/qemu-system-x86_64";

/** Files of a machine as QEMU sees them. */
export const filesFolder = "/files";

/** Names of the kernel and initramfs among a machine's files. */
export const bootFiles = { kernel: "kernel", initramfs: "initramfs" } as const;

/** CPU model for an accelerator. */
const cpuModel = (accelerator: AcceleratorName): string => (accelerator === "kvm" ? "host" : "max");

/** Arguments of a machine, the program first. */
export function qemuCommand(shape: Shape, backing: Backing): readonly string[] {
  return [
    qemuPath,
    ...machineArguments(shape, backing),
    ...processArguments(),
    ...monitorArguments(),
    ...deviceArguments(backing),
    ...birthArguments(backing, shape),
  ];
}

function machineArguments(shape: Shape, backing: Backing): string[] {
  const acpi = shape.acpi ? "on" : "off";
  const memory = `${shape.memoryMiB}M`;
  const machine = `microvm,acpi=${acpi},pit=on,rtc=on,isa-serial=on,pcie=off,usb=off`;
  const accelerator = shape.accelerator === "kvm" ? "kvm" : "tcg,tb-size=64";
  const common = ["-accel", accelerator, "-cpu", cpuModel(shape.accelerator), "-smp", `${shape.vcpus}`, "-m", memory];
  if (backing.birth === "boot") return ["-M", machine, ...common];
  // A template's RAM is shared so that it stays; a copy's is private, so that what it writes is its own.
  const share = backing.birth === "template" ? "on" : "off";
  const ram = `memory-backend-file,id=ram,size=${memory},mem-path=/proc/self/fd/${descriptors.ram},share=${share}`;
  return ["-object", ram, "-M", `${machine},memory-backend=ram`, ...common];
}

function processArguments(): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-action", "panic=exit-failure"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
  ];
}

function monitorArguments(): string[] {
  return [
    ...["-chardev", `socket,id=qmp,fd=${descriptors.qmp},server=on,wait=off`, "-mon", "chardev=qmp,mode=control"],
    // The shim's own, by which it passes descriptors of disks.
    ...["-chardev", `socket,id=shim,fd=${descriptors.monitor}`, "-mon", "chardev=shim,mode=control"],
    ...["-add-fd", `fd=${descriptors.console},set=1`],
    ...["-chardev", "file,id=console,path=/dev/fdset/1,append=on", "-serial", "chardev:console"],
  ];
}

function deviceArguments(backing: Backing): string[] {
  const slots = Array.from({ length: blockSlots }, (_, index) => slotArguments(index, backing.disks[index]));
  // QEMU gives reported pages back by punching holes in the RAM's file, which copies share and must not change.
  const reporting = backing.birth === "boot" ? "on" : "off";
  const network = backing.tap ? ["-netdev", `tap,id=net,fd=${descriptors.tap}`] : [];
  return [
    ...["-device", "virtio-serial-device,id=serial,max_ports=2"],
    ...["-chardev", `socket,id=channel,fd=${descriptors.channel},server=on,wait=off`],
    ...["-device", "virtserialport,bus=serial.0,nr=1,chardev=channel,name=atoll.crx"],
    ...["-object", "rng-random,id=entropy,filename=/dev/urandom"],
    ...["-device", "virtio-rng-device,rng=entropy,max-bytes=1024,period=1000"],
    ...["-device", `virtio-balloon-device,id=balloon,deflate-on-oom=on,free-page-reporting=${reporting}`],
    ...["-device", "pvpanic"],
    ...slots.flat(),
    ...["-device", "virtio-scsi-device,id=scsi"],
    ...network,
    ...["-device", backing.tap ? "virtio-net-device,netdev=net" : "virtio-net-device"],
  ];
}

/**
 * An empty slot has a disk that is nothing. It is larger than any disk that may take its place in a copy: the guest
 * asks for the size only once, and file systems know their own.
 */
function slotArguments(index: number, disk: SlotDisk | undefined): string[] {
  const node = `slot${index}`;
  const device = `virtio-blk-device,drive=${node}`;
  if (disk === undefined) return ["-blockdev", `null-co,node-name=${node},size=${2 ** 46}`, "-device", device];
  return ["-blockdev", JSON.stringify(blockNode(node, disk)), "-device", `${device},serial=${disk.serial}`];
}

/** A disk as blockdev-add takes it. */
export function blockNode(node: string, disk: { file: string; readOnly: boolean }): Readonly<Record<string, unknown>> {
  const writable = disk.readOnly ? {} : { discard: "unmap", "detect-zeroes": "unmap" };
  return {
    driver: "raw",
    "node-name": node,
    "read-only": disk.readOnly,
    ...writable,
    file: { driver: "file", filename: `${filesFolder}/${disk.file}`, "read-only": disk.readOnly, ...writable },
  };
}

/** A disk that the shim passed as a descriptor, as blockdev-add takes it: nothing of it stays in this host's memory. */
export function sharedNode(node: string, fdset: number): Readonly<Record<string, unknown>> {
  const common = { "read-only": false, discard: "unmap", cache: { direct: true } };
  const file = { driver: "file", filename: `/dev/fdset/${fdset}`, ...common };
  return { driver: "raw", "node-name": node, ...common, "detect-zeroes": "unmap", file };
}

function birthArguments(backing: Backing, shape: Shape): string[] {
  if (backing.birth === "clone") return ["-incoming", "defer"];
  const { kernel, initramfs } = bootFiles;
  const files = ["-kernel", `${filesFolder}/${kernel}`, "-initrd", `${filesFolder}/${initramfs}`];
  return [...files, "-append", kernelArguments(backing, shape)];
}

/**
 * The kernel's command line. The TSC is given because its calibration against the PIT fails on a busy host and then
 * hangs; a panic ends the machine at once; nothing is printed but what is wrong.
 */
function kernelArguments(backing: Backing, shape: Shape): string {
  const tsc = backing.tscKhz === undefined ? [] : [`tsc_early_khz=${backing.tscKhz}`];
  const tcg = shape.accelerator === "tcg" ? ["tsc=reliable", "no_timer_check", ...tsc, "mitigations=off"] : [];
  // Our own kernel has this option; QEMU's local APIC counts nanoseconds.
  const apic = shape.accelerator === "tcg" && !shape.acpi ? ["atoll_apic_timer_hz=1000000000"] : [];
  const console = ["console=ttyS0", "8250.nr_uarts=1", "quiet", "loglevel=4"];
  const end = ["panic=-1", "reboot=t", "oops=panic"];
  const fast = ["scsi_mod.scan=manual", "rcupdate.rcu_expedited=1", "random.trust_cpu=on"];
  // Security modules that nobody gives a policy, and a level of page tables that no machine is large enough for.
  const lean = ["lsm=landlock,yama", "no5lvl"];
  return [...tcg, ...apic, ...console, ...end, ...fast, ...lean].join(" ");
}
