/* A container's output, kept as records with absolute offsets until the host acknowledges them. */
#ifndef CRX_LOGRING_H
#define CRX_LOGRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log {
  uint8_t *ring; /* NULL when there is none */
  size_t room;
  uint64_t start, end; /* offsets of the first byte held, and behind the last */
};

/* Returns 0 or an errno. */
int log_open(struct log *log, size_t room);
void log_close(struct log *log);
/* Reads once from a descriptor into a record. Returns as read() does; -1 with ENOBUFS when there is no room. */
ssize_t log_read(struct log *log, int fd, uint8_t source);
/* Copies out bytes from an offset on; at most what is there. */
size_t log_copy(const struct log *log, uint64_t offset, uint8_t *out, size_t room);
/* Drops what lies before the offset. */
void log_drop(struct log *log, uint64_t offset);

#endif
