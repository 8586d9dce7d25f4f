/**
 * Which system calls containers may make: profiles as data, in the vocabulary of the OCI runtime specification, and
 * the default one that `RuntimeDefault` means.
 * Source: opencontainers/runtime-spec config-linux.md#seccomp; the default follows what containerd and Docker allow
 * (docs.docker.com/engine/security/seccomp).
 */

/** What happens to a call. */
export type SeccompAction =
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_LOG";

/** A condition on one argument. With MASKED_EQ, `value` is the mask and `valueTwo` what shall come out. */
export interface SeccompArgument {
  readonly index: number;
  readonly value: bigint | number;
  readonly valueTwo?: bigint | number;
  readonly op:
    | "SCMP_CMP_NE"
    | "SCMP_CMP_LT"
    | "SCMP_CMP_LE"
    | "SCMP_CMP_EQ"
    | "SCMP_CMP_GE"
    | "SCMP_CMP_GT"
    | "SCMP_CMP_MASKED_EQ";
}

/** Calls with one fate. All arguments' conditions must hold; of several rules for a call the first that holds wins. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

/** A whole profile. */
export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly syscalls: readonly SeccompRule[];
}

const errno = { EPERM: 1, ENOSYS: 38 } as const;
const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const allow = (names: string, args: readonly SeccompArgument[] = []): SeccompRule => ({
  names: words(names),
  action: "SCMP_ACT_ALLOW",
  args,
});

const always = `
  accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir chmod chown clock_adjtime clock_getres
  clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
  epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
  exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchownat fcntl
  fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_waitv
  futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups
  getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage
  getsid getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill
  landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr
  llistxattr lremovexattr lseek lsetxattr lstat madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat
  mknod mknodat mlock mlock2 mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
  newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll
  ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 ptrace pwrite64 pwritev pwritev2 read readahead
  readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2
  restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
  sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto
  set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority
  setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown
  sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range syncfs
  sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
  timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork
  vmsplice wait4 waitid write writev`;

/** Calls that a capability brings, by its number. */
const byCapability: readonly (readonly [capability: number, names: string])[] = [
  [2, "open_by_handle_at"], // CAP_DAC_READ_SEARCH
  [16, "delete_module init_module finit_module"], // CAP_SYS_MODULE
  [17, "iopl ioperm"], // CAP_SYS_RAWIO
  [18, "chroot"], // CAP_SYS_CHROOT
  [19, "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev"], // CAP_SYS_PTRACE
  [20, "acct"], // CAP_SYS_PACCT
  [
    21, // CAP_SYS_ADMIN
    "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount2 unshare",
  ],
  [22, "reboot"], // CAP_SYS_BOOT
  [23, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"], // CAP_SYS_NICE
  [25, "settimeofday clock_settime"], // CAP_SYS_TIME
  [26, "vhangup"], // CAP_SYS_TTY_CONFIG
  [34, "syslog"], // CAP_SYSLOG
  [38, "perf_event_open"], // CAP_PERFMON
  [39, "bpf"], // CAP_BPF
];

/** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET. */
const namespaceFlags = 0x7e02_0000;
const addressFamilyVsock = 40;
/** PER_LINUX and PER_LINUX32, each also with UNAME26; and the question which one is set. */
const personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/**
 * What `RuntimeDefault` allows a container with these capabilities.
 * @param capabilities mask by capability number
 */
export function defaultProfile(capabilities: bigint): SeccompProfile {
  const has = (capability: number) => ((capabilities >> BigInt(capability)) & 1n) === 1n;
  const brought = byCapability.filter(([capability]) => has(capability)).map(([, names]) => allow(names));
  const noNamespaces = { index: 0, op: "SCMP_CMP_MASKED_EQ", value: namespaceFlags, valueTwo: 0 } as const;
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: errno.EPERM,
    syscalls: [
      ...brought,
      allow(always),
      allow("socket", [{ index: 0, op: "SCMP_CMP_NE", value: addressFamilyVsock }]),
      allow("clone", [noNamespaces]),
      ...personalities.map((value) => allow("personality", [{ index: 0, op: "SCMP_CMP_EQ", value }])),
      // C libraries fall back to clone, whose flags can be looked at.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: errno.ENOSYS },
    ],
  };
}
