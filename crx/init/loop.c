#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

enum { BATCH = 32 };

static int epoll_fd = -1;
static struct epoll_event batch[BATCH];
static int batch_length;
static struct alarm *alarms;

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t wall_ns(void) { return clock_ns(CLOCK_REALTIME); }

int watch_add(struct watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0 ? errno : 0;
}

void watch_change(struct watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (watch->fd >= 0) epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void watch_close(struct watch *watch) {
  if (watch->fd < 0) return;
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
  close(watch->fd);
  watch->fd = -1;
  /* An event of this batch may still name it. */
  for (int i = 0; i < batch_length; i++)
    if (batch[i].data.ptr == watch) batch[i].data.ptr = NULL;
}

void alarm_set(struct alarm *alarm, uint64_t after_ns) {
  alarm_off(alarm);
  alarm->at = monotonic_ns() + after_ns;
  alarm->next = alarms;
  alarms = alarm;
}

void alarm_off(struct alarm *alarm) {
  for (struct alarm **at = &alarms; *at != NULL; at = &(*at)->next) {
    if (*at != alarm) continue;
    *at = alarm->next;
    break;
  }
  alarm->at = 0;
}

/* Milliseconds until the next alarm, rounded up; -1 without one; 0 while the channel has work. */
static int until_alarm(void) {
  if (channel_busy()) return 0;
  if (alarms == NULL) return -1;
  uint64_t first = UINT64_MAX;
  for (struct alarm *each = alarms; each != NULL; each = each->next)
    if (each->at < first) first = each->at;
  uint64_t now = monotonic_ns();
  if (first <= now) return 0;
  uint64_t ms = (first - now + 999999) / 1000000;
  return ms > 3600000 ? 3600000 : (int)ms;
}

static void ring_due(void) {
  for (;;) {
    uint64_t now = monotonic_ns();
    struct alarm *due = alarms;
    while (due != NULL && due->at > now) due = due->next;
    if (due == NULL) return;
    alarm_off(due);
    due->ring(due);
  }
}

void loop_open(void) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) fatal("epoll_create1");
}

void loop_run(void) {
  for (;;) {
    int ready = epoll_wait(epoll_fd, batch, BATCH, until_alarm());
    if (ready < 0 && errno != EINTR) fatal("epoll_wait");
    batch_length = ready < 0 ? 0 : ready;
    for (int i = 0; i < batch_length; i++) {
      struct watch *watch = batch[i].data.ptr;
      if (watch != NULL) watch->ready(watch, batch[i].events);
    }
    batch_length = 0;
    ring_due();
    channel_pump();
  }
}
