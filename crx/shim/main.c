#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim.h"

static void usage(void) {
  dprintf(2, "usage: crx-shim --folder DIR --name NAME --uid N --gid N [option...] -- QEMU argument...\n");
  _exit(64);
}

static uint64_t number(const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || text[0] == '-') usage();
  return value;
}

static void read_option(struct options *out, const char *name, const char *value) {
  if (strcmp(name, "--folder") == 0) out->folder = value;
  else if (strcmp(name, "--name") == 0) out->name = value;
  else if (strcmp(name, "--uid") == 0) out->uid = (uid_t)number(value);
  else if (strcmp(name, "--gid") == 0) out->gid = (gid_t)number(value);
  else if (strcmp(name, "--tap") == 0) out->tap = value;
  else if (strcmp(name, "--kvm") == 0) out->kvm = strcmp(value, "yes") == 0;
  else if (strcmp(name, "--template-ram") == 0) out->template_ram = number(value);
  else if (strcmp(name, "--template-load") == 0) out->template_load = value;
  else if (strcmp(name, "--template-draft") == 0) out->template_draft = value;
  else if (strcmp(name, "--template-keep") == 0) out->template_keep = value;
  else if (strcmp(name, "--template-from") == 0) out->template_from = (pid_t)number(value);
  else if (strcmp(name, "--template-started") == 0) out->template_started = number(value);
  else if (strcmp(name, "--state") == 0) out->state = value;
  else if (strcmp(name, "--lease-ms") == 0) out->lease_ms = number(value);
  else if (strcmp(name, "--cgroup") == 0 && out->cgroup_count < MOST_CGROUPS) out->cgroups[out->cgroup_count++] = value;
  else usage();
}

struct options options_read(int count, char **arguments) {
  struct options out = {.folder = NULL};
  int at = 1;
  for (; at + 1 < count && strcmp(arguments[at], "--") != 0; at += 2) read_option(&out, arguments[at], arguments[at + 1]);
  if (at >= count || strcmp(arguments[at], "--") != 0) usage();
  /* Memory alone needs no QEMU. */
  if ((at + 1 == count) != (out.template_load != NULL)) usage();
  if (out.template_load != NULL && out.template_ram == 0) usage();
  if (out.folder == NULL || out.name == NULL || out.uid == 0 || out.gid == 0) usage();
  out.command = arguments + at + 1;
  return out;
}

static void enter_cgroups(const struct options *options) {
  for (size_t i = 0; i < options->cgroup_count; i++) {
    FILE *file = fopen(options->cgroups[i], "we");
    if (file == NULL || fputs("0", file) < 0 || fclose(file) != 0) fail(options->cgroups[i]);
  }
}

static int watch_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) fail("signals");
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  int fd = signalfd(-1, &set, SFD_CLOEXEC);
  if (fd < 0) fail("signals");
  return high(fd);
}

/* A child in namespaces of its own: no host process, network, mount or name is to be seen from there. */
static pid_t fork_apart(void) {
  struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
                            .exit_signal = SIGCHLD};
  return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* What the child says when it cannot go on; nothing when it has executed. */
static void await_execution(int problem) {
  char text[256];
  ssize_t got = read(problem, text, sizeof text - 1);
  close(problem);
  if (got <= 0) return;
  text[got] = '\0';
  errno = 0;
  fail(text);
}

/* The driver waits for this before it connects. */
static void tell_driver(void) {
  ssize_t told = write(1, "\n", 1);
  (void)told;
  close(1);
}

/* A template that is on disk is held as one that was made here. */
static void hold_loaded(const struct options *options, const struct opened *opened, int signals) {
  template_load(options->template_load, opened->fds[FD_RAM], options->template_ram);
  record_start(0);
  tell_driver();
  hold_template(options, opened, signals);
}

int main(int count, char **arguments) {
  struct options options = options_read(count, arguments);
  int ready[2], problem[2];
  record_folder = options.folder;
  umask(077);
  prctl(PR_SET_DUMPABLE, 0);
  enter_cgroups(&options);
  struct opened opened = open_all(&options);
  int signals = watch_signals();
  if (options.template_load != NULL) {
    hold_loaded(&options, &opened, signals);
    return 0;
  }
  if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(problem, O_CLOEXEC) < 0) fail("pipe");
  pid_t qemu = fork_apart();
  if (qemu < 0) fail("fork");
  if (qemu == 0) {
    close(ready[1]);
    close(problem[0]);
    confine_and_execute(&options, &opened, ready[0], problem[1]);
  }
  close(ready[0]);
  close(problem[1]);
  record_start(qemu);
  close(ready[1]);
  close(opened.errors_write);
  for (int fd = FD_QMP; fd < FD_END; fd++)
    if (opened.fds[fd] >= 0 && !(options.template_ram > 0 && fd == FD_RAM)) close(opened.fds[fd]);
  tell_driver();
  await_execution(problem[0]);
  bool well = watch_qemu(&options, &opened, qemu, signals);
  if (options.template_ram > 0 && well) hold_template(&options, &opened, signals);
  return 0;
}
