/*
 * crx-shim: parent of one QEMU process. It opens what QEMU may have, confines a child, executes QEMU in it, keeps
 * its console and error output within bounds, records its process and its end, and ends it when its lease runs out.
 *
 *   main.c      options, order of events     open.c    descriptors QEMU gets
 *   confine.c   the child's walls            watch.c   output, lease, end
 *   record.c    files the driver reads             keep.c    templates on disk
 *   control.c   disks on shares                    lease.c   their leases
 *
 * Everything it is told comes from the driver, which is root; everything it reads from pipes comes from a guest.
 */
#ifndef CRX_SHIM_H
#define CRX_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbers under which QEMU finds its descriptors; crx/argv.ts has the same. */
enum { FD_QMP = 3, FD_CHANNEL = 4, FD_CONSOLE = 5, FD_TAP = 6, FD_RAM = 7, FD_STATE = 8, FD_MONITOR = 9, FD_END = 10 };

enum { MOST_CGROUPS = 8, MOST_KEEPERS = 16, CONTROL_POLLS = MOST_KEEPERS + 3 };

struct options {
  const char *folder; /* the machine's own */
  const char *name;
  uid_t uid;
  gid_t gid;
  const char *tap;           /* or NULL */
  const char *cgroups[MOST_CGROUPS]; /* cgroup.procs files to enter */
  size_t cgroup_count;
  bool kvm;
  uint64_t template_ram;     /* bytes: this machine becomes a template */
  const char *template_load; /* file with the memory of a finished one, or NULL: then there is no machine */
  const char *template_draft; /* folder to which its memory is written, or NULL ... */
  const char *template_keep;  /* ... and where that folder goes when it is whole */
  pid_t template_from;       /* process that holds the template to copy; 0 for none */
  uint64_t template_started; /* its start time, as in /proc/PID/stat */
  const char *state;         /* file with the template's device state, or NULL */
  uint64_t lease_ms;         /* 0: no lease */
  char *const *command;
};

struct options options_read(int count, char **arguments);

/* ---- record.c ---- */

/* Records why the machine cannot run, and ends. */
void fail(const char *what) __attribute__((noreturn));
void record_start(pid_t qemu);
void record_exit(const char *reason, int code, int signal);
/* Time a process started, in clock ticks after boot; 0 when there is no such process. */
uint64_t start_time(pid_t pid);
extern const char *record_folder;

/* ---- open.c ---- */

struct opened {
  int fds[FD_END];      /* what QEMU gets, by number; -1 for none */
  int console, errors;  /* our ends of its output */
  int errors_write;     /* its end of its error output */
  int lease;            /* -1 without one */
  int control;          /* where the driver connects */
  int monitor;          /* our end of FD_MONITOR */
};

struct opened open_all(const struct options *options);
/* Moves a descriptor out of the way of the numbers that QEMU, or a copy, will find things under. */
int high(int fd);

/* ---- confine.c ---- */

/* In the child: never returns. `ready` is closed by the parent once the child is on record. */
void confine_and_execute(const struct options *options, const struct opened *opened, int ready, int problem)
    __attribute__((noreturn));

/* ---- watch.c ---- */

/* Serves output and lease until QEMU is gone, and records its end. Returns whether it ended well. */
bool watch_qemu(const struct options *options, const struct opened *opened, pid_t qemu, int signals);
/* Holds a finished template until it is told to end. */
void hold_template(const struct options *options, const struct opened *opened, int signals);

/* ---- control.c ---- */

struct pollfd;

/* Takes the socket where the driver connects, and a connection to QEMU's monitor. */
void control_open(int listening, int qmp);
/* What is to be waited for, at most CONTROL_POLLS; serving does whatever has come. */
size_t control_polls(struct pollfd *out);
void control_serve(void);
/* When the machine must be killed unless a lease is renewed, by CLOCK_BOOTTIME in ms; 0 for never. */
uint64_t control_deadline(void);
/* Why the machine must be killed at once, or NULL. */
const char *control_ended(void);
/* The machine is gone: its leases are given back. `well` when it wrote all that it ever would. */
void control_leave(bool well, uint64_t patience_ms);

/* ---- keep.c ---- */

/* Fills the memory from a file that `template_save` wrote. */
void template_load(const char *path, int memory, uint64_t bytes);
/* Writes the memory into the draft folder and moves that to its place, whole or not at all. */
void template_save(const struct options *options, int memory);

#endif
