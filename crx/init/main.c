/* Process 1 of a machine: brings the kernel's file systems and drivers up, finds the port, and serves it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init.h"
#include "task.h"

enum { PORTS = 16, HARNESS_PORT = 3, UEVENT_ROOM = 8192 };

static const char port_name[] = "atoll.crx";
static struct watch children = WATCH_NONE, uevents = WATCH_NONE;
enum stage stage = STAGE_WAITING;

bool is_machine(void) { return getpid() == 1; }

void note(const char *format, ...) {
  char line[512];
  va_list rest;
  va_start(rest, format);
  int used = vsnprintf(line, sizeof line - 1, format, rest);
  va_end(rest);
  if (used < 0) return;
  if ((size_t)used > sizeof line - 2) used = sizeof line - 2;
  line[used] = '\n';
  ssize_t put = write(2, line, (size_t)used + 1);
  (void)put;
}

void fatal(const char *what) {
  note("crx-init: %s: %s", what, strerror(errno));
  _exit(1);
}

int write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
  close(fd);
  return error;
}

ssize_t read_text(const char *path, char *out, size_t room) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t used = 0;
  ssize_t got;
  while (used < room - 1 && (got = read(fd, out + used, room - 1 - used)) > 0) used += (size_t)got;
  close(fd);
  out[used] = '\0';
  return (ssize_t)used;
}

/* ---- boot ---- */

static void mount_at(const char *type, const char *path, const char *options) {
  mkdir(path, 0755);
  if (mount(type, path, type, MS_NOSUID | MS_NOEXEC, options) < 0) fatal(path);
}

static void load_module(const char *path, const char *options) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || syscall(SYS_finit_module, fd, options, 0) < 0) note("module %s: %s", path, strerror(errno));
  if (fd >= 0) close(fd);
}

/* /modules/order: a path on each line, and the module's options after it. */
static void load_modules(void) {
  char text[4096];
  char *rest = NULL;
  if (read_text("/modules/order", text, sizeof text) < 0) return; /* a kernel with everything built in */
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    char *options = strchr(line, ' ');
    if (options != NULL) *options++ = '\0';
    load_module(line, options == NULL ? "" : options);
    unlink(line);
  }
}

/* Containers pivot away from this root, which is not possible from the initramfs itself. */
static void change_root(void) {
  static const char *const moved[] = {"/proc", "/sys", "/dev"};
  char path[64];
  if (mkdir("/new", 0755) < 0 || mount("tmpfs", "/new", "tmpfs", MS_NODEV | MS_NOSUID, "mode=755,size=25%") < 0)
    fatal("root");
  for (size_t i = 0; i < COUNT(moved); i++) {
    snprintf(path, sizeof path, "/new%s", moved[i]);
    if (mkdir(path, 0755) < 0 || mount(moved[i], path, NULL, MS_MOVE, NULL) < 0) fatal(path);
  }
  if (chdir("/new") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
    fatal("change root");
}

static void make_folders(void) {
  static const char *const folders[] = {"/run", "/run/v", "/run/t", "/run/root", "/run/upper", "/run/skeleton"};
  for (size_t i = 0; i < COUNT(folders); i++)
    if (mkdir(folders[i], 0755) < 0 && errno != EEXIST) fatal(folders[i]);
}

static void boot(void) {
  mount_at("proc", "/proc", NULL);
  mount_at("sysfs", "/sys", NULL);
  mkdir("/dev", 0755);
  if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, NULL) < 0) fatal("/dev");
  int console = open("/dev/console", O_RDWR);
  for (int fd = 0; console >= 0 && fd < 3; fd++) dup2(console, fd);
  if (console > 2) close(console);
  write_text("/proc/self/oom_score_adj", "-1000");
  load_modules();
  change_root();
  make_folders();
  mount_at("cgroup2", "/sys/fs/cgroup", NULL);
  /* So that containers prepared ahead see what is mounted afterwards. */
  if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0) fatal("shared mounts");
  cgroup_open();
  be_quiet_when_idle();
}

/* The port's device is numbered by its order; only the name says which it is. */
static int find_port(void) {
  char path[128], name[64];
  for (int device = 0; device < 2; device++) {
    for (int number = 0; number < PORTS; number++) {
      snprintf(path, sizeof path, "/sys/class/virtio-ports/vport%dp%d/name", device, number);
      if (read_text(path, name, sizeof name) < 0) continue;
      name[strcspn(name, "\n")] = '\0';
      if (strcmp(name, port_name) != 0) continue;
      snprintf(path, sizeof path, "/dev/vport%dp%d", device, number);
      return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
  }
  return -1;
}

/* ---- events of the kernel ---- */

static void reap(struct watch *self, uint32_t events) {
  struct signalfd_siginfo info;
  (void)events;
  while (read(self->fd, &info, sizeof info) > 0) {
  }
  task_reap();
}

static bool open_port_if_there(void) {
  static bool opened;
  int port = opened ? -1 : find_port();
  if (port < 0) return opened;
  opened = true;
  channel_open(port);
  return true;
}

static void device_came(struct watch *self, uint32_t events) {
  char event[UEVENT_ROOM];
  (void)events;
  while (recv(self->fd, event, sizeof event, MSG_DONTWAIT) > 0) {
  }
  if (open_port_if_there()) volume_retry();
}

static void watch_kernel(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  children = (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = reap};
  if (children.fd < 0 || watch_add(&children, EPOLLIN) != 0) fatal("signals");
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = 1};
  uevents = (struct watch){.ready = device_came};
  uevents.fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (uevents.fd >= 0 && bind(uevents.fd, (struct sockaddr *)&kernel, sizeof kernel) == 0) watch_add(&uevents, EPOLLIN);
  else if (is_machine()) fatal("device events");
}

int main(void) {
  umask(022);
  if (is_machine()) boot();
  loop_open();
  watch_kernel();
  /* Outside of a machine this is a test's harness: its port is an open socket. */
  if (is_machine()) {
    open_port_if_there();
  } else {
    fcntl(HARNESS_PORT, F_SETFL, O_NONBLOCK);
    channel_open(HARNESS_PORT);
  }
  loop_run();
}
