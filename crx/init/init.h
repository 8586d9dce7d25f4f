/*
 * crx-init: process 1 of a machine. One thread, one epoll loop, fixed tables, no heap.
 *
 *   main.c      boot: file systems, modules, the port        channel.c   frames in and out
 *   loop.c      descriptors and alarms                       request.c   which request does what
 *   stream.c    sub-streams, credit                          logring.c   output kept until acknowledged
 *   task.c      containers and exec sessions, exits          spawn.c     starting them, from slots or not
 *   inside.c    a container's forked child: its root         become.c    user, capabilities, seccomp, exec
 *   modules.c   kernel modules that few guests need
 *   volume.c disk.c files.c net.c identity.c cgroup.c usage.c connect.c shutdown.c: one kind of request each
 */
#ifndef CRX_INIT_H
#define CRX_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"
#include "protocol.h"
#include "tlv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NAME_ROOM = 128, PATH_ROOM = 1024 };

/* ---- main.c ---- */

/* Ends the machine: the kernel panics when process 1 goes, and the host sees it. */
void fatal(const char *what) __attribute__((noreturn));
/* One line on the console. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes a short text into an existing file. Returns 0 or an errno. */
int write_text(const char *path, const char *text);
/* Reads at most room-1 bytes and ends them with NUL; -1 on failure. */
ssize_t read_text(const char *path, char *out, size_t room);
/* Whether this is process 1 of a machine, not a test on a host. */
bool is_machine(void);
/* Where the init is in its life, as Hello.stage tells. */
enum stage { STAGE_WAITING, STAGE_PREPARED, STAGE_IDENTIFIED };
extern enum stage stage;

/* ---- idle.c ---- */

void be_quiet_when_idle(void);

/* ---- channel.c ---- */

void channel_open(int fd);
/* Reads and writes what it can without waiting. */
void channel_pump(void);
/* Whether channel_pump has more to do at once. */
bool channel_busy(void);
/*
 * Answers a request. A ticket is the request's number and the session it came in: an answer that was put off until
 * its session had gone is dropped, because the next session uses the same numbers.
 */
void channel_reply(uint64_t ticket, int error, struct span body);
void channel_event(uint16_t event, struct span body);
void channel_eof(uint16_t stream, uint8_t sub);
void channel_credit(uint16_t stream, uint64_t limit);

/* ---- request.c ---- */

struct request {
  uint64_t ticket;
  struct span body;
};

/* A handler's result when it answers later by itself. */
enum { LATER = -1 };

/* Handlers return 0, an errno, or LATER. */
typedef int handler(const struct request *request, struct writer *reply);

void request_handle(uint64_t ticket, uint32_t operation, struct span body);
/* Sets the sentence that goes with an errno, and returns the errno. */
int fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Answers a request that was put off. `text` may be NULL. */
void request_answer(uint64_t ticket, int error, const char *text);

/* ---- handlers, in the file named ---- */

handler handle_identify, handle_set_time;                                                    /* identity.c */
handler handle_network, handle_sysctls;                                                      /* net.c */
handler handle_volume, handle_drop_volume, handle_grow_volume, handle_own;                   /* volume.c */
handler handle_files;                                                                        /* files.c */
handler handle_prepare, handle_run, handle_exec;                                             /* spawn.c */
handler handle_signal, handle_remove, handle_resize, handle_subscribe, handle_close_stream;  /* task.c */
handler handle_connect;                                                                      /* connect.c */
handler handle_limit;                                                                        /* cgroup.c */
handler handle_usage;                                                                        /* usage.c */
handler handle_shutdown;                                                                     /* shutdown.c */

/* ---- volume.c, disk.c ---- */

/* Path of a volume's tree, or NULL. The text is overwritten by the next call. */
const char *volume_path(const char *name);
/* Visits every volume. */
void volume_each(void (*visit)(const char *name, const char *path, void *with), void *with);
/* Unmounts everything, last first. */
void volume_unmount_all(void);
/* Device node of the disk with that serial number; false when it is not there (yet). */
bool disk_find(const char *serial, char *out, size_t room);
/* Gives network cards that have none their driver; takes it from all of them. */
void bind_network_cards(void);
void release_network_cards(void);
/* Has the kernel know what is looked at when a disk is found, and write in the order in which it is told to. */
void ready_disks(void);

/* Tries again the volumes that wait for their disk; called when the kernel reports a new device. */
void volume_retry(void);

/* ---- net.c ---- */

/* Brings lo up, once. Returns 0 or an errno. */
int loopback_up(void);

/* ---- modules.c ---- */

/* Loads the modules on a disk. Returns 0 or an errno; ENOENT while the disk has not come. */
int load_from_disk(const char *serial);

/* ---- removal.c ---- */

/* Empties the current folder, however deep, without recursion and without leaving it. */
void remove_here(void);

/* ---- cgroup.c ---- */

void cgroup_open(void);
/* Makes the group of a stream, without limits. Returns a descriptor of its folder, or -1 and errno. */
int cgroup_make(const char *name);
int cgroup_limit(const char *name, struct span limits);
void cgroup_kill(const char *name);
/* Removes the group now, or as soon as its last process is gone. */
void cgroup_remove(const char *name);
void cgroup_retry(void);
/* One number out of a group's file: the whole file when `key` is NULL, else what follows the key. */
uint64_t cgroup_number(const char *name, const char *file, const char *key);
int cgroup_open_file(const char *name, const char *file, int flags);

#endif
