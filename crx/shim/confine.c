/* The walls around QEMU, put up by the child before it executes: what it could reach if its guest took it over. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim.h"

enum { OPEN_FILES = 512, THREADS = 256, KVM_MAJOR = 10, KVM_MINOR = 232 };

static int problem_fd;

static void stop(const char *what) {
  dprintf(problem_fd, "%s: %s", what, strerror(errno));
  _exit(70);
}

static void make_node(const char *path, unsigned major, unsigned minor, uid_t owner) {
  if (mknod(path, S_IFCHR | 0600, makedev(major, minor)) < 0 || chown(path, owner, owner) < 0) stop(path);
}

/* A root with QEMU's programs and libraries, the machine's files, a few devices, and a view of its own processes. */
static void build_root(const struct options *options) {
  static const char *const links[][2] = {{"usr/lib", "lib"}, {"usr/lib64", "lib64"}, {"usr/bin", "bin"}};
  static const char *const folders[] = {"usr", "dev", "files", "proc"};
  char files[1024];
  const unsigned long strict = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  snprintf(files, sizeof files, "%s/files", options->folder);
  umask(0);
  /* The machine's folder may lie below what is about to be covered. */
  int machine = open(files, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (machine < 0) stop(files);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) stop("mount namespace");
  if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") < 0) stop("root");
  if (chdir("/tmp") < 0) stop("root");
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
    if (mkdir(folders[i], 0755) < 0) stop(folders[i]);
  for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
    if (symlink(links[i][0], links[i][1]) < 0) stop(links[i][1]);
  if (mount("/usr", "usr", NULL, MS_BIND, NULL) < 0) stop("/usr");
  if (mount(NULL, "usr", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0) stop("/usr");
  snprintf(files, sizeof files, "/proc/self/fd/%d", machine);
  if (mount(files, "files", NULL, MS_BIND, NULL) < 0) stop("files");
  if (mount(NULL, "files", NULL, MS_BIND | MS_REMOUNT | strict, NULL) < 0) stop("files");
  if (mount("proc", "proc", "proc", strict, "subset=pid") < 0) stop("proc");
  make_node("dev/null", 1, 3, options->uid);
  make_node("dev/urandom", 1, 9, options->uid);
  if (options->kvm) make_node("dev/kvm", KVM_MAJOR, KVM_MINOR, options->uid);
  if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) stop("root");
  if (mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) < 0) stop("root");
}

static void limit(int resource, rlim_t value) {
  struct rlimit both = {value, value};
  if (setrlimit(resource, &both) < 0) stop("limits");
}

static void drop_rights(const struct options *options) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, OPEN_FILES);
  limit(RLIMIT_NPROC, THREADS);
  for (int cap = 0; cap <= 63; cap++)
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
      if (errno == EINVAL) break;
      stop("capabilities");
    }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (setgroups(0, NULL) < 0) stop("groups");
  if (setresgid(options->gid, options->gid, options->gid) < 0) stop("group");
  if (setresuid(options->uid, options->uid, options->uid) < 0) stop("user");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) stop("no_new_privs");
  /* A machine without its shim has no lease, no console and no record: it must not go on. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) stop("parent's death");
  prctl(PR_SET_DUMPABLE, 0);
  /* Huge pages would make an idle machine's memory three times as large. */
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

static void place(int from, int to) {
  if (dup2(from, to) < 0) stop("descriptors");
}

void confine_and_execute(const struct options *options, const struct opened *opened, int ready, int problem) {
  char *const environment[] = {NULL};
  char wait;
  sigset_t none;
  problem_fd = fcntl(problem, F_DUPFD_CLOEXEC, 64);
  int gate = fcntl(ready, F_DUPFD_CLOEXEC, 64);
  if (sethostname(options->name, strlen(options->name)) < 0) stop("name");
  build_root(options);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) stop("/dev/null");
  place(null, 0);
  place(opened->errors_write, 1);
  place(opened->errors_write, 2);
  for (int fd = FD_QMP; fd < FD_END; fd++) {
    if (opened->fds[fd] >= 0) place(opened->fds[fd], fd);
    else close(fd);
  }
  drop_rights(options);
  if (read(gate, &wait, 1) < 0) stop("gate"); /* until the driver could find us */
  if (getppid() != 0) stop("parent"); /* 0: it lives outside of our process namespace */
  syscall(SYS_close_range, FD_END, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGHUP, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  execve(options->command[0], options->command, environment);
  stop(options->command[0]);
  _exit(70);
}
