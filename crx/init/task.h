/* Tasks: containers, and other processes started in them. */
#ifndef CRX_TASK_H
#define CRX_TASK_H

#include "init.h"

struct stream;

struct task {
  bool used;
  bool container;
  bool starting;  /* its request has not been answered yet */
  bool over;      /* its process is gone */
  bool abandoned; /* nobody waits for it */
  pid_t pid;
  struct stream *stream;
  char name[NAME_ROOM];
  char group[16]; /* control group; a session's is its container's */

  uint64_t request; /* to be answered once started */
  struct watch control;
  char failure[512];
  int error;

  uint32_t code, signal;
  uint64_t started_ns, finished_ns;
  uint64_t oom_kills;
  struct watch oom;
  char termination[32]; /* file with the termination message, or empty */
  char upper[PATH_ROOM]; /* what it wrote, to be removed with it; or empty */
};

/* An unused entry, or NULL. */
struct task *task_new(void);
struct task *task_of_stream(uint32_t number);
/* Forgets a task that did not come to run, or is done. Kills what is left of its group if it is a container. */
void task_free(struct task *task);
/* The process is running: watches for its end and for lack of memory. */
void task_started(struct task *task);
/* Everything an exec session wrote has been told: tells its end and frees it. */
void task_finish(struct task *task);
/* The host of this session is gone: ends it. */
void task_abandon(struct task *task);
/* Collects the dead. */
void task_reap(void);
void task_report_all(struct writer *hello);
void task_each(void (*visit)(struct task *task, void *with), void *with);
/* Number of containers that still run. */
unsigned task_alive(void);

/* spawn.c: what a starting child says; called by the loop, and before its death is taken note of. */
void spawn_control(struct task *task);

#endif
