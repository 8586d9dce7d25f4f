/**
 * Linux' capabilities by name.
 * Source: include/uapi/linux/capability.h
 */

const names =
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split(
    " ",
  );

const plain = (name: string): string => name.toUpperCase().replace(/^CAP_/, "");

/** Whether a Pod may name it: a capability, with or without `CAP_`, or `ALL` of them. */
export const isCapability = (name: string): boolean => plain(name) === "ALL" || names.includes(plain(name));

/** Named capabilities as the kernel's bits; what is none has no bit. */
export function capabilityMask(wanted: readonly string[]): bigint {
  return wanted.reduce((mask, name) => {
    if (plain(name) === "ALL") return (1n << BigInt(names.length)) - 1n;
    const number = names.indexOf(plain(name));
    return number < 0 ? mask : mask | (1n << BigInt(number));
  }, 0n);
}
