#include "stream.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "task.h"

enum { DATA_A_FRAME = 16 << 10, READS_A_TURN = 8 };

static struct stream streams[MAX_STREAMS];
static uint8_t inputs[MAX_STREAMS][MAX_INPUT_WINDOW]; /* apart, so that walking the table stays in few pages */
static size_t used;                                   /* entries from here on are free */
static size_t turn;                                   /* whose turn it is to send */

static uint8_t *input_of(const struct stream *stream) { return inputs[stream - streams]; }

struct stream *stream_find(uint32_t number) {
  for (size_t i = 0; i < used; i++)
    if (streams[i].kind != STREAM_FREE && streams[i].number == number) return &streams[i];
  return NULL;
}

struct stream *stream_new(uint32_t number, enum stream_kind kind) {
  errno = EINVAL;
  if (number == 0 || number > UINT16_MAX) return NULL;
  errno = EEXIST;
  if (stream_find(number) != NULL) return NULL;
  for (size_t i = 0; i < MAX_STREAMS; i++) {
    if (streams[i].kind != STREAM_FREE) continue;
    streams[i] = (struct stream){.kind = kind,
                                 .number = (uint16_t)number,
                                 .sink = WATCH_NONE,
                                 .in_limit = MAX_INPUT_WINDOW,
                                 .out = {{.watch = WATCH_NONE, .ended = true, .told = true},
                                         {.watch = WATCH_NONE, .ended = true, .told = true}}};
    if (i >= used) used = i + 1;
    return &streams[i];
  }
  errno = EMFILE;
  return NULL;
}

void stream_free(struct stream *stream) {
  watch_close(&stream->sink);
  watch_close(&stream->out[0].watch);
  watch_close(&stream->out[1].watch);
  log_close(&stream->log);
  *stream = (struct stream){.kind = STREAM_FREE, .sink = WATCH_NONE};
  while (used > 0 && streams[used - 1].kind == STREAM_FREE) used--;
}

static void sink_ready(struct watch *self, uint32_t events) {
  (void)events;
  ((struct stream *)self->owner)->sink_ready = true;
}

static void output_ready(struct watch *self, uint32_t events) {
  struct stream *stream = self->owner;
  (void)events;
  stream->out[self == &stream->out[1].watch].ready = true;
}

int stream_set_sink(struct stream *stream, int fd, bool pty) {
  stream->sink = (struct watch){.fd = fd, .ready = sink_ready, .owner = stream};
  stream->sink_pty = pty;
  stream->sink_ready = true;
  return watch_add(&stream->sink, EPOLLOUT | EPOLLET);
}

int stream_set_output(struct stream *stream, int which, int fd) {
  struct output *out = &stream->out[which];
  *out = (struct output){.watch = {.fd = fd, .ready = output_ready, .owner = stream}, .ready = true};
  return watch_add(&out->watch, EPOLLIN | EPOLLET);
}

void stream_no_sink(struct stream *stream) { watch_close(&stream->sink); }

/* ---- from the host ---- */

void stream_take(uint32_t number, struct span data) {
  struct stream *stream = stream_find(number);
  if (stream == NULL || stream->in_ended) return;
  if (data.length > MAX_INPUT_WINDOW - stream->in_used) return; /* beyond its credit */
  uint8_t *ring = input_of(stream);
  size_t at = (stream->in_head + stream->in_used) % MAX_INPUT_WINDOW;
  size_t first = data.length < MAX_INPUT_WINDOW - at ? data.length : MAX_INPUT_WINDOW - at;
  memcpy(ring + at, data.at, first);
  memcpy(ring, data.at + first, data.length - first);
  stream->in_used += data.length;
}

void stream_take_end(uint32_t number) {
  struct stream *stream = stream_find(number);
  if (stream != NULL) stream->in_ended = true;
}

void stream_grant(uint32_t number, uint64_t limit) {
  struct stream *stream = stream_find(number);
  if (stream != NULL && limit > stream->out_limit) stream->out_limit = limit;
}

void stream_acknowledge(uint32_t number, uint64_t offset) {
  struct stream *stream = stream_find(number);
  if (stream == NULL || stream->kind != STREAM_CONTAINER) return;
  /* Only what was sent can have been received. */
  log_drop(&stream->log, offset < stream->out_sent ? offset : stream->out_sent);
}

void stream_new_session(void) {
  for (size_t i = 0; i < used; i++) {
    struct stream *stream = &streams[i];
    stream->out_limit = 0;
    stream->subscribed = false;
    stream->in_used = 0;
    stream->in_taken = 0;
    stream->in_limit = MAX_INPUT_WINDOW;
    stream->out[0].told = stream->kind != STREAM_CONTAINER;
    if (stream->kind == STREAM_EXEC) task_abandon(stream->task);
    if (stream->kind == STREAM_CONNECT) stream_free(stream);
  }
}

/* ---- input ---- */

static void consumed(struct stream *stream, size_t length) {
  stream->in_head = (stream->in_head + length) % MAX_INPUT_WINDOW;
  stream->in_used -= length;
  stream->in_taken += length;
  uint64_t limit = stream->in_taken + MAX_INPUT_WINDOW;
  if (limit - stream->in_limit < MAX_INPUT_WINDOW / 2) return;
  stream->in_limit = limit;
  channel_credit(stream->number, limit);
}

static void end_input(struct stream *stream) {
  if (stream->kind == STREAM_CONNECT) {
    shutdown(stream->sink.fd, SHUT_WR);
  } else if (stream->sink_pty) {
    ssize_t sent = write(stream->sink.fd, "\004", 1); /* what a terminal sends for the end of input */
    (void)sent;
  }
  watch_close(&stream->sink);
}

static void push_input(struct stream *stream) {
  while (stream->in_used > 0) {
    if (stream->sink.fd < 0) {
      consumed(stream, stream->in_used);
      return;
    }
    if (!stream->sink_ready) return;
    size_t run = MAX_INPUT_WINDOW - stream->in_head;
    ssize_t put = write(stream->sink.fd, input_of(stream) + stream->in_head, run < stream->in_used ? run : stream->in_used);
    if (put >= 0) {
      consumed(stream, (size_t)put);
      continue;
    }
    stream->sink_ready = false;
    if (errno != EAGAIN && errno != EINTR) watch_close(&stream->sink);
  }
  if (stream->in_ended && stream->sink.fd >= 0) end_input(stream);
}

/* ---- output ---- */

/* Notes what a read said. True when there was data. */
static bool took(struct stream *stream, struct output *out, ssize_t got) {
  if (got > 0) return true;
  if (got < 0 && (errno == ENOBUFS || errno == EINTR)) return false;
  out->ready = false;
  /* A terminal whose other side is closed reports EIO. */
  if (got == 0 || errno != EAGAIN || stream->drain) {
    out->ended = true;
    out->told = false;
    watch_close(&out->watch);
  }
  return false;
}

static void fill_log(struct stream *stream) {
  for (int which = 0; which < 2; which++) {
    struct output *out = &stream->out[which];
    if (stream->drain) out->ready = true;
    for (int i = 0; i < READS_A_TURN && out->ready && !out->ended; i++)
      if (!took(stream, out, log_read(&stream->log, out->watch.fd, (uint8_t)(which + 1)))) break;
  }
}

void stream_work(void) {
  for (size_t i = 0; i < used; i++) {
    struct stream *stream = &streams[i];
    if (stream->kind == STREAM_FREE) continue;
    push_input(stream);
    if (stream->kind == STREAM_CONTAINER) fill_log(stream);
    if (stream->kind == STREAM_EXEC && stream->task->over && stream->out[0].told && stream->out[1].told)
      task_finish(stream->task);
  }
}

static bool logs_ended(const struct stream *stream) { return stream->out[0].ended && stream->out[1].ended; }

static size_t next_of_container(struct stream *stream, uint8_t *payload, size_t room, uint8_t *sub) {
  if (!stream->subscribed) return 0;
  *sub = SUB_OUTPUT;
  uint64_t credit = stream->out_limit > stream->out_sent ? stream->out_limit - stream->out_sent : 0;
  size_t length = log_copy(&stream->log, stream->out_sent, payload, room < credit ? room : (size_t)credit);
  stream->out_sent += length;
  if (length == 0 && stream->out_sent == stream->log.end && logs_ended(stream) && !stream->out[0].told) {
    stream->out[0].told = true;
    channel_eof(stream->number, SUB_OUTPUT);
  }
  return length;
}

static size_t next_of_session(struct stream *stream, uint8_t *payload, size_t room, uint8_t *sub) {
  uint64_t credit = stream->out_limit > stream->out_sent ? stream->out_limit - stream->out_sent : 0;
  if (room > credit) room = (size_t)credit;
  for (int which = 0; which < 2; which++) {
    struct output *out = &stream->out[which];
    *sub = (uint8_t)(SUB_OUTPUT + which);
    if (stream->drain) out->ready = true;
    if (!out->ended && out->ready && room > 0) {
      ssize_t got = read(out->watch.fd, payload, room);
      if (took(stream, out, got)) {
        stream->out_sent += (uint64_t)got;
        return (size_t)got;
      }
    }
    if (out->ended && !out->told) {
      out->told = true;
      channel_eof(stream->number, *sub);
    }
  }
  return 0;
}

size_t stream_next(uint8_t *payload, size_t room, uint16_t *number, uint8_t *sub) {
  if (room > DATA_A_FRAME) room = DATA_A_FRAME;
  for (size_t i = 0; i < used; i++) {
    struct stream *stream = &streams[(turn + i) % used];
    if (stream->kind == STREAM_FREE) continue;
    size_t length = stream->kind == STREAM_CONTAINER ? next_of_container(stream, payload, room, sub)
                                                     : next_of_session(stream, payload, room, sub);
    if (length == 0) continue;
    turn = (turn + i + 1) % used;
    *number = stream->number;
    return length;
  }
  return 0;
}

static bool pending(const struct stream *stream) {
  bool credit = stream->out_limit > stream->out_sent;
  if (stream->kind == STREAM_CONTAINER) {
    bool more = !logs_ended(stream) && stream->log.end - stream->log.start + PROTOCOL_LOG_RECORD_HEADER < stream->log.room &&
                (stream->out[0].ready || stream->out[1].ready);
    bool ended = stream->out_sent == stream->log.end && logs_ended(stream) && !stream->out[0].told;
    return more || (stream->subscribed && ((credit && stream->out_sent < stream->log.end) || ended));
  }
  for (int which = 0; which < 2; which++) {
    const struct output *out = &stream->out[which];
    if (out->ended ? !out->told : credit && (out->ready || stream->drain)) return true;
  }
  return stream->kind == STREAM_EXEC && stream->task->over && stream->out[0].told && stream->out[1].told;
}

bool stream_pending(void) {
  for (size_t i = 0; i < used; i++)
    if (streams[i].kind != STREAM_FREE && pending(&streams[i])) return true;
  return false;
}

void stream_each(void (*visit)(struct stream *stream, void *with), void *with) {
  for (size_t i = 0; i < used; i++)
    if (streams[i].kind != STREAM_FREE) visit(&streams[i], with);
}
