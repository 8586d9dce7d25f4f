/* What the driver finds when it looks: who runs here, and how it ended. Each file is replaced as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

const char *record_folder = ".";

static void replace(const char *name, const char *text) {
  char draft[1024], path[1024];
  snprintf(draft, sizeof draft, "%s/.%s", record_folder, name);
  snprintf(path, sizeof path, "%s/%s", record_folder, name);
  int fd = open(draft, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  if (whole && rename(draft, path) < 0) unlink(draft);
}

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

uint64_t start_time(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return 0;
  text[got] = '\0';
  /* The second field is a name in parentheses that may contain anything; the start time is the 22nd. */
  char *at = strrchr(text, ')');
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  return at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

void record_start(pid_t qemu) {
  char text[256];
  pid_t shim = getpid();
  snprintf(text, sizeof text, "{\"shim\":%d,\"shimStart\":%llu,\"qemu\":%d,\"qemuStart\":%llu,\"atMs\":%lld}\n", (int)shim,
           (unsigned long long)start_time(shim), (int)qemu, (unsigned long long)start_time(qemu), now_ms());
  replace("pid", text);
}

/* Reasons are our own words or errors of system calls; quotes and backslashes are taken out all the same. */
void record_exit(const char *reason, int code, int signal) {
  char text[768], safe[512];
  size_t used = 0;
  for (const char *c = reason; *c != '\0' && used < sizeof safe - 1; c++)
    safe[used++] = *c == '"' || *c == '\\' || (unsigned char)*c < ' ' ? '\'' : *c;
  safe[used] = '\0';
  snprintf(text, sizeof text, "{\"reason\":\"%s\",\"code\":%d,\"signal\":%d,\"atMs\":%lld}\n", safe, code, signal, now_ms());
  replace("exit", text);
}

void fail(const char *what) {
  char text[512];
  snprintf(text, sizeof text, "%s%s%s", what, errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
  dprintf(2, "crx-shim: %s\n", text);
  record_exit(text, 70, 0);
  _exit(70);
}
