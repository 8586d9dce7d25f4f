/* While QEMU runs: its output within bounds, its lease, its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

/* Of each output at most twice FILE_ROOM bytes are kept, and at most RATE a second are taken. */
enum { FILE_ROOM = 256 << 10, RATE = 1 << 20, CHUNK = 16 << 10, LEAVE_MS = 2000 };

struct output {
  int from, file;
  const char *name;
  off_t written;
  uint64_t pause_until_ms;
};

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now); /* goes on while the host sleeps, as leases do */
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void new_file(struct output *out) {
  char path[1024], old[1024];
  snprintf(path, sizeof path, "%s/%s", record_folder, out->name);
  snprintf(old, sizeof old, "%s/%s.old", record_folder, out->name);
  if (out->file >= 0) {
    close(out->file);
    if (rename(path, old) < 0) unlink(path);
  }
  out->file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  out->written = 0;
}

/* Takes one chunk. A guest that floods waits: its output is not read for as long as the chunk should have taken. */
static void take(struct output *out) {
  char chunk[CHUNK];
  ssize_t got = read(out->from, chunk, sizeof chunk);
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      close(out->from);
      out->from = -1;
    }
    return;
  }
  if (out->written + got > FILE_ROOM) new_file(out);
  ssize_t put = write(out->file, chunk, (size_t)got);
  if (put > 0) out->written += put;
  out->pause_until_ms = now_ms() + (uint64_t)got * 1000u / RATE;
}

static int timeout_ms(uint64_t until, int so_far) {
  uint64_t now = now_ms();
  int wait = until <= now ? 0 : until - now > 60000 ? 60000 : (int)(until - now);
  return so_far < 0 || wait < so_far ? wait : so_far;
}

/* When the machine is to be killed, 0 for never: nothing is to be waited for twice, or this would never rest again. */
static uint64_t end_at(int lease, uint64_t deadline, bool killed) {
  uint64_t shared = control_deadline();
  if (killed) return 0;
  if (lease < 0 || (shared > 0 && shared < deadline)) return shared;
  return deadline;
}

static void poll_once(struct output outputs[2], int signals, int lease, uint64_t deadline, bool *signalled, bool *renewed) {
  struct pollfd fds[4 + CONTROL_POLLS] = {{.fd = signals, .events = POLLIN}, {.fd = lease, .events = POLLIN}};
  int wait = -1;
  uint64_t now = now_ms();
  for (int i = 0; i < 2; i++) {
    bool paused = outputs[i].pause_until_ms > now;
    fds[2 + i] = (struct pollfd){.fd = paused ? -1 : outputs[i].from, .events = POLLIN};
    if (paused && outputs[i].from >= 0) wait = timeout_ms(outputs[i].pause_until_ms, wait);
  }
  if (deadline > 0) wait = timeout_ms(deadline, wait);
  if (poll(fds, 4 + control_polls(fds + 4), wait) <= 0) return;
  for (int i = 0; i < 2; i++)
    if (fds[2 + i].revents != 0) take(&outputs[i]);
  *signalled = fds[0].revents != 0;
  *renewed = fds[1].revents != 0;
}

/* What is left in the pipes when QEMU is gone is the most telling part. */
static void drain(struct output *out) {
  if (out->from < 0) return;
  fcntl(out->from, F_SETFL, O_NONBLOCK);
  for (int i = 0; i < 8 && out->from >= 0; i++) take(out);
}

static bool asked_to_end(int signals) {
  struct signalfd_siginfo info;
  return read(signals, &info, sizeof info) == sizeof info && info.ssi_signo != SIGCHLD;
}

bool watch_qemu(const struct options *options, const struct opened *opened, pid_t qemu, int signals) {
  struct output outputs[2] = {{.from = opened->console, .file = -1, .name = "console"},
                              {.from = opened->errors, .file = -1, .name = "qemu.log"}};
  const char *reason = "exited";
  uint64_t deadline = now_ms() + options->lease_ms;
  int status = 0;
  bool killed = false; /* it may still be held up by a share that does not answer */
  control_open(opened->control, opened->monitor);
  new_file(&outputs[0]);
  new_file(&outputs[1]);
  for (;;) {
    bool signalled = false, renewed = false;
    char bytes[64];
    poll_once(outputs, signals, opened->lease, end_at(opened->lease, deadline, killed), &signalled, &renewed);
    if (renewed && read(opened->lease, bytes, sizeof bytes) > 0) deadline = now_ms() + options->lease_ms;
    control_serve();
    uint64_t end = end_at(opened->lease, deadline, killed);
    if (!killed && (control_ended() != NULL || (end > 0 && now_ms() >= end))) {
      reason = "lease ran out";
      kill(qemu, SIGKILL);
      killed = true;
    }
    if (signalled && asked_to_end(signals)) {
      reason = "stopped";
      kill(qemu, SIGKILL);
    }
    if (waitpid(qemu, &status, WNOHANG) == qemu) break;
  }
  drain(&outputs[0]);
  drain(&outputs[1]);
  bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  control_leave(well, LEAVE_MS);
  if (options->template_ram == 0 || !well)
    record_exit(reason, WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return well;
}

void hold_template(const struct options *options, const struct opened *opened, int signals) {
  const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(opened->fds[FD_RAM], F_ADD_SEALS, seals) < 0) fail("seal");
  if (dup2(opened->fds[FD_RAM], FD_RAM) < 0) fail("descriptors"); /* copies find it by this number */
  close(opened->fds[FD_RAM]);
  record_exit("template", 0, 0);
  if (options->template_draft != NULL && options->template_keep != NULL) template_save(options, FD_RAM);
  while (!asked_to_end(signals)) {
  }
}
