/* The channel: frames over one virtio-serial port. See docs/crx-protocol.md. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "init.h"
#include "stream.h"
#include "task.h"

enum {
  FRAME_ROOM = PROTOCOL_HEADER_LENGTH + PROTOCOL_MAX_PAYLOAD,
  IN_ROOM = 2 * FRAME_ROOM,
  OUT_ROOM = 1 << 20,
  OUT_HIGH = 256 << 10, /* above this no further requests are read */
  FRAMES_A_TURN = 8,
  HELLO_ROOM = 512 << 10,
  SESSION_LENGTH = 16,
};

static struct watch port = WATCH_NONE;
static uint8_t in[IN_ROOM];
static size_t in_used;
static uint8_t out[OUT_ROOM];
static size_t out_start, out_end;
static uint8_t data[FRAME_ROOM];
static size_t data_start, data_end;
static uint8_t request[MAX_REQUEST_BYTES];
static size_t request_used;
static bool readable, writable, in_session;
static uint32_t sessions; /* ever begun */

static void put_header(uint8_t *at, uint8_t type, uint8_t flags, uint16_t stream, size_t length) {
  at[0] = type;
  at[1] = flags;
  store_u16(at + 2, stream);
  store_u32(at + 4, (uint32_t)length);
}

/* A control frame whose payload comes in two parts. Nothing is said before the host's hello. */
static void put_frame(uint8_t type, uint8_t flags, uint16_t stream, struct span head, struct span body) {
  size_t length = head.length + body.length;
  if (!in_session) return;
  if (OUT_ROOM - out_end < length + PROTOCOL_HEADER_LENGTH) {
    memmove(out, out + out_start, out_end - out_start);
    out_end -= out_start;
    out_start = 0;
  }
  if (OUT_ROOM - out_end < length + PROTOCOL_HEADER_LENGTH) {
    /* Replies are bounded by OUT_HIGH and events by the tables, so the host has stopped reading for good. */
    note("channel: host does not read; session dropped");
    in_session = false;
    return;
  }
  put_header(out + out_end, type, flags, stream, length);
  out_end += PROTOCOL_HEADER_LENGTH;
  if (head.length > 0) memcpy(out + out_end, head.at, head.length);
  out_end += head.length;
  if (body.length > 0) memcpy(out + out_end, body.at, body.length);
  out_end += body.length;
}

static const struct span nothing = {NULL, 0};

void channel_reply(uint64_t ticket, int error, struct span body) {
  if (ticket >> 32 != sessions) return;
  uint8_t head[8];
  store_u32(head, (uint32_t)ticket);
  store_u32(head + 4, (uint32_t)error);
  struct span first = {head, sizeof head};
  do {
    size_t room = PROTOCOL_MAX_PAYLOAD - first.length;
    struct span part = {body.at, body.length < room ? body.length : room};
    body.at += part.length;
    body.length -= part.length;
    put_frame(FRAME_REPLY, body.length > 0 ? PROTOCOL_MORE : 0, 0, first, part);
    first.length = 0;
  } while (body.length > 0);
}

void channel_event(uint16_t event, struct span body) {
  uint8_t head[4];
  store_u32(head, event);
  put_frame(FRAME_EVENT, 0, 0, (struct span){head, sizeof head}, body);
}

void channel_eof(uint16_t stream, uint8_t sub) { put_frame(FRAME_EOF, sub, stream, nothing, nothing); }

void channel_credit(uint16_t stream, uint64_t limit) {
  uint8_t body[8];
  store_u64(body, limit);
  put_frame(FRAME_CREDIT, 0, stream, (struct span){body, sizeof body}, nothing);
}

/* Answers a hello. The host's session number comes first: a host that takes over looks for it. */
static void say_hello(struct span hello) {
  static uint8_t body[HELLO_ROOM];
  struct field field;
  struct span session = nothing;
  uint32_t version = 0;
  while (tlv_next(&hello, &field)) {
    if (field.tag == TAG_HELLO_SESSION && field.value.length == SESSION_LENGTH) session = field.value;
    if (field.tag == TAG_HELLO_PROTOCOL) version = span_u32(field.value);
  }
  struct utsname names;
  uname(&names);
  struct writer reply = writer_on(body, sizeof body);
  put_bytes(&reply, TAG_HELLO_SESSION, session.at, session.length);
  put_u32(&reply, TAG_HELLO_PROTOCOL, PROTOCOL_VERSION);
  put_text(&reply, TAG_HELLO_BUILD, CRX_BUILD);
  put_text(&reply, TAG_HELLO_KERNEL, names.release);
  put_u32(&reply, TAG_HELLO_STAGE, stage);
  out_start = out_end = data_start = data_end = 0;
  request_used = 0;
  in_session = true;
  sessions++;
  stream_new_session();
  if (version == PROTOCOL_VERSION) task_report_all(&reply);
  struct span rest = {body, reply.used};
  do {
    struct span part = {rest.at, rest.length < PROTOCOL_MAX_PAYLOAD ? rest.length : PROTOCOL_MAX_PAYLOAD};
    rest.at += part.length;
    rest.length -= part.length;
    put_frame(FRAME_HELLO, rest.length > 0 ? PROTOCOL_MORE : 0, 0, part, nothing);
  } while (rest.length > 0);
  if (version != PROTOCOL_VERSION) in_session = false;
}

static void take_request(uint8_t flags, struct span payload) {
  if (payload.length > sizeof request - request_used) {
    request_used = 0;
    note("channel: request is too long");
    return;
  }
  memcpy(request + request_used, payload.at, payload.length);
  request_used += payload.length;
  if (flags & PROTOCOL_MORE) return;
  size_t length = request_used;
  request_used = 0;
  uint64_t ticket = (uint64_t)sessions << 32 | load_u32(request);
  if (length >= 8) request_handle(ticket, load_u32(request + 4), (struct span){request + 8, length - 8});
  /* A large request shall not cost memory for ever. */
  if (length > (256 << 10)) madvise(request, sizeof request, MADV_DONTNEED);
}

static void take_frame(const uint8_t *header, struct span payload) {
  uint8_t type = header[0], flags = header[1];
  uint16_t number = load_u16(header + 2);
  uint64_t value = span_u64(payload);
  if (type == FRAME_HELLO) return say_hello(payload);
  if (!in_session) return;
  switch (type) {
    case FRAME_REQUEST: return take_request(flags, payload);
    case FRAME_DATA: return stream_take(number, payload);
    case FRAME_EOF: return stream_take_end(number);
    case FRAME_CREDIT: return stream_grant(number, value);
    case FRAME_ACK: return stream_acknowledge(number, value);
    default: return;
  }
}

/* Takes the whole frames off the input, at most a turn's worth while requests may be taken. */
static void take_frames(void) {
  size_t at = 0;
  while (at < in_used && out_end - out_start <= OUT_HIGH) {
    if (in[at] == 0) { /* padding */
      at++;
      continue;
    }
    if (in_used - at < PROTOCOL_HEADER_LENGTH) break;
    size_t length = load_u32(in + at + 4);
    if (length > PROTOCOL_MAX_PAYLOAD) {
      /* No host sends this; whatever it was, the next one begins with padding and a hello. */
      if (in_session) note("channel: frame of %zu bytes; session dropped", length);
      in_session = false;
      at++;
      continue;
    }
    if (in_used - at < PROTOCOL_HEADER_LENGTH + length) break;
    take_frame(in + at, (struct span){in + at + PROTOCOL_HEADER_LENGTH, length});
    at += PROTOCOL_HEADER_LENGTH + length;
  }
  memmove(in, in + at, in_used - at);
  in_used -= at;
}

static bool read_some(void) {
  take_frames();
  if (in_used == sizeof in) return false;
  ssize_t got = read(port.fd, in + in_used, sizeof in - in_used);
  if (got <= 0) {
    readable = false;
    /* A test's socket ends when its driver goes; a machine's port only waits for the next host. */
    if (got == 0 && !is_machine()) _exit(0);
    return false;
  }
  in_used += (size_t)got;
  take_frames();
  return true;
}

/* Writes the front of [at+*start, at+end). False when the port takes no more now. */
static bool write_some(const uint8_t *at, size_t *start, size_t end) {
  size_t length = end - *start;
  ssize_t put = write(port.fd, at + *start, length < FRAME_ROOM ? length : FRAME_ROOM);
  if (put <= 0) {
    writable = false;
    return false;
  }
  *start += (size_t)put;
  return true;
}

/* Control frames go first, then data of the streams in turn; a frame once begun is ended. */
static bool write_next(void) {
  if (data_start < data_end) return write_some(data, &data_start, data_end);
  if (out_start < out_end) return write_some(out, &out_start, out_end);
  out_start = out_end = 0;
  if (!in_session) return false;
  uint16_t number;
  uint8_t sub;
  size_t length = stream_next(data + PROTOCOL_HEADER_LENGTH, PROTOCOL_MAX_PAYLOAD, &number, &sub);
  if (length == 0) return out_start < out_end; /* the streams may have ended instead */
  put_header(data, FRAME_DATA, sub, number, length);
  data_start = 0;
  data_end = PROTOCOL_HEADER_LENGTH + length;
  return true;
}

void channel_pump(void) {
  if (port.fd < 0) return;
  take_frames();
  for (int i = 0; i < FRAMES_A_TURN && readable && read_some(); i++) {
  }
  stream_work();
  for (int i = 0; i < 2 * FRAMES_A_TURN && writable && write_next(); i++) {
  }
}

bool channel_busy(void) {
  if (port.fd < 0) return false;
  if (readable && in_used < sizeof in) return true;
  return writable && (data_start < data_end || out_start < out_end || (in_session && stream_pending()));
}

static void port_ready(struct watch *self, uint32_t events) {
  (void)self;
  if (events & (EPOLLIN | EPOLLHUP)) readable = true;
  if (events & EPOLLOUT) writable = true;
}

void channel_open(int fd) {
  port = (struct watch){.fd = fd, .ready = port_ready};
  /* Edge-triggered: a port without a host reports a hang-up for as long as that lasts. */
  if (watch_add(&port, EPOLLIN | EPOLLOUT | EPOLLET) != 0) fatal("channel");
}
