/* Control groups, version 2: one for each container, below the root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"
#include "task.h"

static const char base[] = "/sys/fs/cgroup";
static char leaving[MAX_STREAMS][16]; /* groups still to be removed */

static void path_of(char *out, const char *name, const char *file) {
  snprintf(out, PATH_ROOM, "%s/%s%s%s", base, name, file[0] == '\0' ? "" : "/", file);
}

void cgroup_open(void) {
  char path[PATH_ROOM];
  path_of(path, "cgroup.subtree_control", "");
  int error = write_text(path, "+cpu +memory +pids +io");
  if (error != 0) note("cgroup: controllers: %s", strerror(error));
}

int cgroup_make(const char *name) {
  char path[PATH_ROOM];
  path_of(path, name, "");
  if (mkdir(path, 0755) < 0) return -1;
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int cgroup_open_file(const char *name, const char *file, int flags) {
  char path[PATH_ROOM];
  path_of(path, name, file);
  return open(path, flags | O_CLOEXEC);
}

static int set(const char *name, const char *file, const char *text) {
  char path[PATH_ROOM];
  path_of(path, name, file);
  int error = write_text(path, text);
  return error == 0 ? 0 : fail(error, "%s = %s", file, text);
}

static int set_number(const char *name, const char *file, uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  return set(name, file, text);
}

int cgroup_limit(const char *name, struct span limits) {
  struct field field;
  uint64_t quota = 0, period = 100000000;
  int error = 0;
  while (error == 0 && tlv_next(&limits, &field)) {
    uint64_t value = field.value.length == 8 ? span_u64(field.value) : span_u32(field.value);
    if (value == 0) continue;
    switch (field.tag) {
      case TAG_LIMITS_MEMORY_BYTES:
        error = set_number(name, "memory.max", value);
        /* One process of a container killed for want of memory takes the container with it. */
        if (error == 0) error = set(name, "memory.oom.group", "1");
        break;
      case TAG_LIMITS_MEMORY_LOW_BYTES: error = set_number(name, "memory.low", value); break;
      case TAG_LIMITS_CPU_WEIGHT: error = set_number(name, "cpu.weight", value); break;
      case TAG_LIMITS_PIDS: error = set_number(name, "pids.max", value); break;
      case TAG_LIMITS_CPU_QUOTA_NS: quota = value; break;
      case TAG_LIMITS_CPU_PERIOD_NS: period = value; break;
      default: break;
    }
  }
  if (error != 0 || quota == 0) return error;
  char text[48];
  snprintf(text, sizeof text, "%llu %llu", (unsigned long long)(quota / 1000), (unsigned long long)(period / 1000));
  return set(name, "cpu.max", text);
}

void cgroup_kill(const char *name) {
  char path[PATH_ROOM];
  path_of(path, name, "cgroup.kill");
  write_text(path, "1");
}

void cgroup_remove(const char *name) {
  char path[PATH_ROOM];
  path_of(path, name, "");
  if (rmdir(path) == 0 || errno != EBUSY) return;
  for (size_t i = 0; i < COUNT(leaving); i++) {
    if (leaving[i][0] != '\0') continue;
    snprintf(leaving[i], sizeof leaving[i], "%s", name);
    return;
  }
}

void cgroup_retry(void) {
  char path[PATH_ROOM];
  for (size_t i = 0; i < COUNT(leaving); i++) {
    if (leaving[i][0] == '\0') continue;
    path_of(path, leaving[i], "");
    if (rmdir(path) == 0 || errno != EBUSY) leaving[i][0] = '\0';
  }
}

uint64_t cgroup_number(const char *name, const char *file, const char *key) {
  char path[PATH_ROOM], text[4096];
  path_of(path, name, file);
  if (read_text(path, text, sizeof text) < 0) return 0;
  if (key == NULL) return strtoull(text, NULL, 10);
  size_t length = strlen(key);
  for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoull(line + length, NULL, 10);
  }
  return 0;
}

/* A container would be killed at once for memory that it has already: it is refused instead. */
static int check_memory(const char *group, struct span limits) {
  struct field field;
  while (tlv_next(&limits, &field)) {
    if (field.tag != TAG_LIMITS_MEMORY_BYTES || field.value.length != 8) continue;
    uint64_t wanted = span_u64(field.value);
    uint64_t used = cgroup_number(group, "memory.current", NULL);
    uint64_t cache = cgroup_number(group, "memory.stat", "inactive_file");
    if (wanted != 0 && used > cache && used - cache > wanted)
      return fail(EBUSY, "%llu bytes of memory are in use", (unsigned long long)(used - cache));
  }
  return 0;
}

int handle_limit(const struct request *request, struct writer *reply) {
  (void)reply;
  struct span rest = request->body, limits = {NULL, 0};
  struct field field;
  uint32_t number = 0;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_LIMIT_CONTAINER) number = span_u32(field.value);
    if (field.tag == TAG_LIMIT_LIMITS) limits = field.value;
  }
  struct task *task = task_of_stream(number);
  if (task == NULL || !task->container || task->over) return fail(ENOENT, "no container %u", number);
  int error = check_memory(task->group, limits);
  return error == 0 ? cgroup_limit(task->group, limits) : error;
}
