/* What the machine, its containers and its volumes use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "init.h"
#include "stream.h"
#include "task.h"

static void put_container(struct task *task, void *with) {
  struct writer *out = with;
  if (!task->container || task->starting) return;
  const char *group = task->group;
  uint64_t memory = cgroup_number(group, "memory.current", NULL);
  uint64_t idle = cgroup_number(group, "memory.stat", "inactive_file");
  size_t mark = put_open(out, TAG_USAGE_CONTAINERS);
  put_u32(out, TAG_CONTAINER_USAGE_STREAM, task->stream->number);
  put_u64(out, TAG_CONTAINER_USAGE_CPU_NS, 1000 * cgroup_number(group, "cpu.stat", "usage_usec"));
  put_u64(out, TAG_CONTAINER_USAGE_MEMORY_BYTES, memory);
  put_u64(out, TAG_CONTAINER_USAGE_WORKING_SET_BYTES, memory > idle ? memory - idle : 0);
  put_u64(out, TAG_CONTAINER_USAGE_RSS_BYTES, cgroup_number(group, "memory.stat", "anon"));
  put_u32(out, TAG_CONTAINER_USAGE_PIDS, (uint32_t)cgroup_number(group, "pids.current", NULL));
  put_u32(out, TAG_CONTAINER_USAGE_OOM_KILLS, (uint32_t)cgroup_number(group, "memory.events", "oom_kill"));
  put_u64(out, TAG_CONTAINER_USAGE_PAGE_FAULTS, cgroup_number(group, "memory.stat", "pgfault"));
  put_u64(out, TAG_CONTAINER_USAGE_MAJOR_PAGE_FAULTS, cgroup_number(group, "memory.stat", "pgmajfault"));
  put_u64(out, TAG_CONTAINER_USAGE_THROTTLED_NS, 1000 * cgroup_number(group, "cpu.stat", "throttled_usec"));
  put_close(out, mark);
}

static void put_volume(const char *name, const char *path, void *with) {
  struct writer *out = with;
  struct statvfs status;
  if (statvfs(path, &status) < 0) return;
  size_t mark = put_open(out, TAG_USAGE_VOLUMES);
  put_text(out, TAG_VOLUME_USAGE_NAME, name);
  put_u64(out, TAG_VOLUME_USAGE_TOTAL_BYTES, (uint64_t)status.f_blocks * status.f_frsize);
  put_u64(out, TAG_VOLUME_USAGE_AVAILABLE_BYTES, (uint64_t)status.f_bavail * status.f_frsize);
  put_u64(out, TAG_VOLUME_USAGE_INODES, status.f_files);
  put_u64(out, TAG_VOLUME_USAGE_INODES_FREE, status.f_ffree);
  put_close(out, mark);
}

static uint64_t meminfo(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at == NULL ? 0 : 1024 * strtoull(at + strlen(key), NULL, 10);
}

/* Nanoseconds all CPUs were busy, from the first line of /proc/stat. */
static uint64_t cpu_ns(void) {
  char text[512];
  unsigned long long user, nice, system, idle, wait, irq, softirq;
  if (read_text("/proc/stat", text, sizeof text) < 0) return 0;
  if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait, &irq, &softirq) != 7)
    return 0;
  return (user + nice + system + irq + softirq) * 10000000ull; /* USER_HZ is 100 on every Linux */
}

static void put_network(struct writer *out) {
  static const struct {
    const char *path;
    uint16_t tag;
  } counters[] = {{"/sys/class/net/eth0/statistics/rx_bytes", TAG_USAGE_RX_BYTES},
                  {"/sys/class/net/eth0/statistics/tx_bytes", TAG_USAGE_TX_BYTES},
                  {"/sys/class/net/eth0/statistics/rx_errors", TAG_USAGE_RX_ERRORS},
                  {"/sys/class/net/eth0/statistics/tx_errors", TAG_USAGE_TX_ERRORS}};
  char text[32];
  for (size_t i = 0; i < COUNT(counters); i++)
    if (read_text(counters[i].path, text, sizeof text) > 0) put_u64(out, counters[i].tag, strtoull(text, NULL, 10));
}

int handle_usage(const struct request *request, struct writer *reply) {
  static char text[4096];
  (void)request;
  put_u64(reply, TAG_USAGE_TIME_NS, wall_ns());
  if (read_text("/proc/meminfo", text, sizeof text) > 0) {
    put_u64(reply, TAG_USAGE_MEMORY_TOTAL_BYTES, meminfo(text, "MemTotal:"));
    put_u64(reply, TAG_USAGE_MEMORY_AVAILABLE_BYTES, meminfo(text, "MemAvailable:"));
  }
  put_u64(reply, TAG_USAGE_CPU_NS, cpu_ns());
  put_network(reply);
  task_each(put_container, reply);
  volume_each(put_volume, reply);
  return 0;
}
