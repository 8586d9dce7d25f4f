/**
 * Debian packages that machines need on the host, and what for. Installed by root with
 * `apt-get install --no-install-recommends`; nothing here is fetched from anywhere else.
 */

/** One Debian package. `needed` says when it must be there. */
export interface HostPackage {
  readonly name: string;
  readonly needed: "run" | "build" | "test" | "build-kernel";
  readonly why: string;
}

/** Every Debian package crx/ uses. */
const packages: readonly HostPackage[] = [
  { name: "qemu-system-x86", needed: "run", why: "the machines; 7.2 or later, with the microvm machine type" },
  { name: "seabios", needed: "run", why: "bios-microvm.bin, the firmware that enters the kernel by PVH" },
  { name: "gcc", needed: "build", why: "compiles crx-init and crx-shim" },
  { name: "musl-tools", needed: "build", why: "musl-gcc: both are static programs of some tens of kilobytes" },
  { name: "linux-libc-dev", needed: "build", why: "the kernel's user-space headers, which musl does not bring" },
  { name: "e2fsprogs", needed: "run", why: "mkfs.ext4 for writable disks" },
  { name: "xfsprogs", needed: "run", why: "mkfs.xfs for disks of StorageClasses that ask for it" },
  { name: "busybox-static", needed: "test", why: "what the tests' containers run" },
  { name: "erofs-utils", needed: "test", why: "mkfs.erofs: an EROFS image that our own writer did not make" },
  { name: "linux-source", needed: "build-kernel", why: "source of the small kernel" },
  { name: "make", needed: "build-kernel", why: "builds the small kernel" },
  { name: "flex", needed: "build-kernel", why: "Kconfig's lexer" },
  { name: "bison", needed: "build-kernel", why: "Kconfig's parser" },
  { name: "bc", needed: "build-kernel", why: "kernel/time/timeconst.h" },
  { name: "libelf-dev", needed: "build-kernel", why: "objtool" },
  { name: "xz-utils", needed: "build-kernel", why: "unpacks linux-source" },
];

/** Names to hand to apt-get for the given uses. */
export function packagesFor(...uses: readonly HostPackage["needed"][]): readonly string[] {
  return packages.filter((each) => uses.includes(each.needed)).map((each) => each.name);
}
