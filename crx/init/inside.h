/* What happens in a forked child until it executes its program. Nothing here returns to the loop. */
#ifndef CRX_INSIDE_H
#define CRX_INSIDE_H

#include "init.h"

/* Descriptors that come with the order to start. */
enum { GO_PAYLOAD, GO_INPUT, GO_OUTPUT, GO_ERRORS, GO_COUNT };

struct go {
  uint32_t length; /* of the Run message in GO_PAYLOAD */
  char group[16];  /* names the folder for what it writes */
  char termination[32];
};

/* What a child says on its control socket. */
struct word {
  enum { WORD_FAILED = 1, WORD_TERMINAL } kind;
  int error;
  char text[500];
};

/* First process of a container: prepares, waits for its order on `control`, builds its root and executes. */
void inside_container(int control) __attribute__((noreturn));
/* A process in the container of `pidfd`. `process` is a Process message that may be written to. */
void inside_session(int control, int pidfd, struct span process, const int stdio[3]) __attribute__((noreturn));

/* Tells why it does not go on, and ends. */
void give_up(int error, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* ---- root.c ---- */

/* Mounts what every container has, apart from its root, in a mount namespace of its own. */
void root_prepare(void);
/* Makes the container's root the process's root. `run` is a Run message that may be written to. */
void root_enter(struct span run, const struct go *go);
/* Opens a path below `root` as if that were the root; makes what is missing when `make` is not 0. */
int open_inside(int root, const char *path, mode_t make);

/* ---- become.c ---- */

/* Turns a span into a C string in place; it must lie behind its field header. Gives up on NUL inside. */
char *span_string(struct span value);
/* Terminal, user, limits, rights, program. */
void become(struct span process, const int stdio[3]) __attribute__((noreturn));

/* ---- user.c ---- */

enum { MOST_GROUPS = 256 };

struct user {
  uid_t uid;
  gid_t gid;
  gid_t groups[MOST_GROUPS];
  size_t group_count;
  char home[PATH_ROOM];
};

/*
 * Looks USER or USER:GROUP up in /etc/passwd and /etc/group of the root it runs in.
 * Returns 0, or ENOENT when a name is in neither.
 */
int user_find(const char *text, struct user *out);
/* Takes home and primary group of a number from /etc/passwd, when it is there. */
void user_of_uid(uid_t uid, struct user *out);

#endif
