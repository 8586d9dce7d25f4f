/* The end: containers first get SIGTERM and their time, then SIGKILL; disks are unmounted; the machine goes off. */
#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "init.h"
#include "task.h"

enum { POLL_NS = 10000000, FAREWELL_NS = 50000000 };

static struct alarm step;
static uint64_t deadline;

static void off(struct alarm *self) {
  (void)self;
  sync();
  if (!is_machine()) _exit(0);
  /* Without ACPI nothing switches the power off; QEMU takes a reset for it. */
  reboot(access("/sys/firmware/acpi", F_OK) == 0 ? RB_POWER_OFF : RB_AUTOBOOT);
  fatal("power off");
}

static void stop_one(struct task *task, void *with) {
  int signal_number = *(int *)with;
  if (!task->used || task->over || task->pid <= 0) return;
  if (signal_number == SIGKILL && task->container) cgroup_kill(task->group);
  kill(task->pid, signal_number);
}

static void look(struct alarm *self) {
  static int last = SIGKILL;
  if (task_alive() > 0 && monotonic_ns() < deadline) {
    alarm_set(self, POLL_NS);
    return;
  }
  task_each(stop_one, &last);
  task_reap();
  volume_unmount_all();
  channel_event(EVENT_GOODBYE, (struct span){NULL, 0});
  self->ring = off;
  alarm_set(self, FAREWELL_NS);
}

int handle_shutdown(const struct request *request, struct writer *reply) {
  struct span rest = request->body;
  struct field field;
  uint32_t grace_ms = 0;
  int first = SIGTERM;
  (void)reply;
  while (tlv_next(&rest, &field))
    if (field.tag == TAG_SHUTDOWN_GRACE_MS) grace_ms = span_u32(field.value);
  deadline = monotonic_ns() + (uint64_t)grace_ms * 1000000u;
  if (step.at == 0) {
    task_each(stop_one, &first);
    step.ring = look;
    alarm_set(&step, POLL_NS);
  }
  return 0;
}
