/* Linux calls that musl has no wrapper for. Each returns as the C library's would: -1 and errno on failure. */
#ifndef CRX_SYS_H
#define CRX_SYS_H

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static inline int sys_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }

static inline int sys_fsconfig(int fd, unsigned command, const char *key, const char *value) {
  return (int)syscall(SYS_fsconfig, fd, command, key, value, 0);
}

static inline int sys_fsmount(int fd, unsigned attributes) {
  return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static inline int sys_open_tree(int folder, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, folder, path, flags | OPEN_TREE_CLOEXEC);
}

static inline int sys_move_mount(int from, int folder, const char *path) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (path[0] == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0u);
  return (int)syscall(SYS_move_mount, from, "", folder, path, flags);
}

static inline int sys_mount_setattr(int fd, unsigned flags, unsigned long long set) {
  struct mount_attr attributes = {.attr_set = set};
  return (int)syscall(SYS_mount_setattr, fd, "", (unsigned)AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

static inline int sys_openat2(int folder, const char *path, unsigned long long flags, unsigned long long resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

static inline int sys_pivot_root(const char *to, const char *old) { return (int)syscall(SYS_pivot_root, to, old); }

static inline int sys_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* A fork with more flags, straight into a control group when its folder is given (else -1). */
static inline pid_t sys_fork(unsigned long long flags, int group) {
  struct clone_args args = {.flags = flags, .exit_signal = 17 /* SIGCHLD */};
  if (group >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (unsigned long long)group;
  }
  return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

#endif
