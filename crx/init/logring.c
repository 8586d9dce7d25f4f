#include "logring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loop.h"
#include "protocol.h"
#include "tlv.h"

enum { LONGEST_RECORD = 8 << 10, LEAST_ROOM = 32 << 10, MOST_ROOM = 16 << 20 };

int log_open(struct log *log, size_t room) {
  if (room < LEAST_ROOM) room = LEAST_ROOM;
  if (room > MOST_ROOM) room = MOST_ROOM;
  void *ring = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (ring == MAP_FAILED) return errno;
  *log = (struct log){.ring = ring, .room = room, .start = 0, .end = 0};
  return 0;
}

void log_close(struct log *log) {
  if (log->ring != NULL) munmap(log->ring, log->room);
  *log = (struct log){0};
}

static void append(struct log *log, const uint8_t *bytes, size_t length) {
  size_t at = (size_t)(log->end % log->room);
  size_t first = length < log->room - at ? length : log->room - at;
  memcpy(log->ring + at, bytes, first);
  memcpy(log->ring, bytes + first, length - first);
  log->end += length;
}

ssize_t log_read(struct log *log, int fd, uint8_t source) {
  static uint8_t record[PROTOCOL_LOG_RECORD_HEADER + LONGEST_RECORD];
  size_t room = log->room - (size_t)(log->end - log->start);
  if (room <= PROTOCOL_LOG_RECORD_HEADER) {
    errno = ENOBUFS;
    return -1;
  }
  room -= PROTOCOL_LOG_RECORD_HEADER;
  ssize_t got = read(fd, record + PROTOCOL_LOG_RECORD_HEADER, room < LONGEST_RECORD ? room : LONGEST_RECORD);
  if (got <= 0) return got;
  store_u64(record, wall_ns());
  record[8] = source;
  record[9] = 0;
  store_u16(record + 10, (uint16_t)got);
  append(log, record, PROTOCOL_LOG_RECORD_HEADER + (size_t)got);
  return got;
}

size_t log_copy(const struct log *log, uint64_t offset, uint8_t *out, size_t room) {
  if (offset < log->start || offset >= log->end) return 0;
  size_t length = (size_t)(log->end - offset);
  if (length > room) length = room;
  size_t at = (size_t)(offset % log->room);
  size_t first = length < log->room - at ? length : log->room - at;
  memcpy(out, log->ring + at, first);
  memcpy(out + first, log->ring, length - first);
  return length;
}

void log_drop(struct log *log, uint64_t offset) {
  if (offset > log->end) offset = log->end;
  if (offset > log->start) log->start = offset;
}
