/* What QEMU gets is opened here, by name and as root, and goes to it as numbers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"

extern unsigned int if_nametoindex(const char *name);

/* Listens before QEMU runs, so that the driver may connect at any time. The address is relative: it must be short. */
static int listen_at(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
  unlink(name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0) fail(name);
  return fd;
}

/* A tap that is not there would be created by opening it; then nothing routes to it. */
static int open_tap(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  if (strlen(name) >= sizeof request.ifr_name || if_nametoindex(name) == 0) {
    errno = ENODEV;
    fail(name);
  }
  strcpy(request.ifr_name, name);
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) fail(name);
  return fd;
}

static int new_memory(uint64_t bytes) {
  int fd = memfd_create("crx-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0) fail("memory");
  return fd;
}

static int open_state(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("template's state");
  return fd;
}

/* The sealed memory of a template, which its own shim holds. */
static int open_template(const struct options *options) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)options->template_from, FD_RAM);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || start_time(options->template_from) != options->template_started) fail("template");
  if ((fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE) == 0) {
    errno = EPERM;
    fail("template is not sealed");
  }
  return fd;
}

static int open_lease(const char *folder) {
  char path[1024];
  snprintf(path, sizeof path, "%s/lease", folder);
  unlink(path);
  if (mkfifo(path, 0600) < 0) fail("lease");
  /* Open for writing too, so that it never comes to its end. */
  int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail("lease");
  return fd;
}

int high(int fd) {
  if (fd < 0) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, 64);
  if (moved < 0) fail("descriptors");
  close(fd);
  return moved;
}

struct opened open_all(const struct options *options) {
  int console[2], errors[2], monitor[2];
  struct opened out = {.lease = -1, .control = -1, .monitor = -1};
  for (int i = 0; i < FD_END; i++) out.fds[i] = -1;
  if (chdir(options->folder) < 0) fail(options->folder);
  if (pipe2(console, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0) fail("pipe");
  out.console = high(console[0]);
  out.errors = high(errors[0]);
  out.errors_write = high(errors[1]);
  out.fds[FD_CONSOLE] = high(console[1]);
  out.fds[FD_QMP] = high(listen_at("qmp.sock"));
  out.fds[FD_CHANNEL] = high(listen_at("channel.sock"));
  if (options->template_load == NULL) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) < 0) fail("monitor");
    out.fds[FD_MONITOR] = high(monitor[0]);
    out.monitor = high(monitor[1]);
    out.control = high(listen_at("shim.sock"));
    if (fcntl(out.control, F_SETFL, O_NONBLOCK) < 0) fail("shim.sock");
  }
  if (options->tap != NULL) out.fds[FD_TAP] = high(open_tap(options->tap));
  if (options->template_ram > 0) out.fds[FD_RAM] = high(new_memory(options->template_ram));
  if (options->template_from > 0) out.fds[FD_RAM] = high(open_template(options));
  if (options->state != NULL) out.fds[FD_STATE] = high(open_state(options->state));
  if (options->lease_ms > 0) out.lease = high(open_lease(options->folder));
  return out;
}
