/* TCP connections inside the machine, for the host: what kubectl port-forward needs. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

enum { MOST_OPENING = 32 };

/* A connection that is not made yet. */
struct opening {
  struct watch watch;
  uint64_t request;
  uint32_t number;
  uint16_t port;
  bool used, try_ipv6;
};

static struct opening openings[MOST_OPENING];

static int dial(const struct span *address, uint16_t port, int *out) {
  union {
    struct sockaddr base;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  } to = {.base = {.sa_family = AF_INET}};
  socklen_t length = sizeof to.four;
  if (address->length == 16) {
    to.six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&to.six.sin6_addr, address->at, 16);
    length = sizeof to.six;
  } else {
    to.four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&to.four.sin_addr, address->at, 4);
  }
  int fd = socket(to.base.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  if (connect(fd, &to.base, length) < 0 && errno != EINPROGRESS) {
    int error = errno;
    close(fd);
    return error;
  }
  *out = fd;
  return 0;
}

static int finish(struct opening *opening) {
  int fd = fcntl(opening->watch.fd, F_DUPFD_CLOEXEC, 0), other = fcntl(opening->watch.fd, F_DUPFD_CLOEXEC, 0);
  watch_close(&opening->watch);
  if (fd < 0 || other < 0) return EMFILE;
  struct stream *stream = stream_new(opening->number, STREAM_CONNECT);
  if (stream == NULL) {
    int error = errno;
    close(fd);
    close(other);
    return error;
  }
  int error = stream_set_output(stream, 0, fd);
  return error != 0 ? error : stream_set_sink(stream, other, false);
}

static void opened(struct watch *self, uint32_t events);

static int begin(struct opening *opening, struct span address) {
  int fd = -1;
  int error = dial(&address, opening->port, &fd);
  if (error != 0) return error;
  opening->watch = (struct watch){.fd = fd, .ready = opened, .owner = opening};
  return watch_add(&opening->watch, EPOLLOUT);
}

static void opened(struct watch *self, uint32_t events) {
  struct opening *opening = self->owner;
  int error = 0;
  socklen_t length = sizeof error;
  (void)events;
  getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0) {
    error = finish(opening);
  } else {
    watch_close(self);
    if (opening->try_ipv6) {
      opening->try_ipv6 = false;
      if (begin(opening, (struct span){in6addr_loopback.s6_addr, 16}) == 0) return;
    }
  }
  opening->used = false;
  request_answer(opening->request, error, error == 0 ? NULL : strerror(error));
}

int handle_connect(const struct request *request, struct writer *reply) {
  static const uint8_t loopback[4] = {127, 0, 0, 1};
  struct span rest = request->body, address = {loopback, sizeof loopback};
  struct field field;
  struct opening *opening = NULL;
  (void)reply;
  for (size_t i = 0; i < COUNT(openings) && opening == NULL; i++)
    if (!openings[i].used) opening = &openings[i];
  if (opening == NULL) return fail(EMFILE, "too many connections are being made");
  *opening = (struct opening){.watch = WATCH_NONE, .request = request->ticket, .try_ipv6 = true};
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_CONNECT_STREAM) opening->number = span_u32(field.value);
    if (field.tag == TAG_CONNECT_PORT) opening->port = (uint16_t)span_u32(field.value);
    if (field.tag == TAG_CONNECT_ADDRESS && (field.value.length == 4 || field.value.length == 16)) {
      address = field.value;
      opening->try_ipv6 = false;
    }
  }
  int error = begin(opening, address);
  if (error != 0 && opening->try_ipv6) {
    opening->try_ipv6 = false;
    error = begin(opening, (struct span){in6addr_loopback.s6_addr, 16});
  }
  if (error != 0) return fail(error, "connect");
  opening->used = true;
  return LATER;
}
