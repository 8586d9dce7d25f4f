/* One thread, one epoll: descriptors with what to do when they are ready, and alarms. */
#ifndef CRX_LOOP_H
#define CRX_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Belongs to its owner; must not move while it is being watched. */
struct watch {
  int fd; /* -1 while nothing is watched */
  void (*ready)(struct watch *self, uint32_t events);
  void *owner;
};

#define WATCH_NONE ((struct watch){.fd = -1})

/* Watches a descriptor for epoll events. Returns 0 or an errno. */
int watch_add(struct watch *watch, uint32_t events);
void watch_change(struct watch *watch, uint32_t events);
/* Stops watching and closes the descriptor; safe inside any handler, and on one that watches nothing. */
void watch_close(struct watch *watch);

/* Rings once; `at` is monotonic, in nanoseconds. At most one setting of an alarm at a time. */
struct alarm {
  uint64_t at; /* 0 while it is off */
  void (*ring)(struct alarm *self);
  struct alarm *next;
};

void alarm_set(struct alarm *alarm, uint64_t after_ns);
void alarm_off(struct alarm *alarm);

uint64_t monotonic_ns(void);
uint64_t wall_ns(void);

void loop_open(void);
void loop_run(void) __attribute__((noreturn));

#endif
