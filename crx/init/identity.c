/* Who the machine is: time, entropy, names. In a clone all of it comes from the host, before anything runs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

enum { LEAST_ENTROPY = 32, MOST_ENTROPY = 512, MACHINE_ID_LENGTH = 32 };

static int set_time(uint64_t ns) {
  struct timespec now = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
  return clock_settime(CLOCK_REALTIME, &now) < 0 ? fail(errno, "clock") : 0;
}

/* Copies of a template would otherwise go on with the same stream of random numbers. */
static int add_entropy(struct span bytes) {
  static struct {
    struct rand_pool_info head;
    uint8_t bytes[MOST_ENTROPY];
  } pool;
  if (bytes.length < LEAST_ENTROPY || bytes.length > MOST_ENTROPY) return fail(EINVAL, "entropy");
  pool.head.entropy_count = (int)bytes.length * 8;
  pool.head.buf_size = (int)bytes.length;
  memcpy(pool.head.buf, bytes.at, bytes.length);
  int fd = open("/dev/random", O_WRONLY | O_CLOEXEC);
  int error = fd < 0 || ioctl(fd, RNDADDENTROPY, &pool.head) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0 ? errno : 0;
  if (fd >= 0) close(fd);
  explicit_bzero(&pool, sizeof pool);
  return error == 0 ? 0 : fail(error, "entropy");
}

static int set_machine_id(struct span value) {
  char text[MACHINE_ID_LENGTH + 2];
  if (value.length != MACHINE_ID_LENGTH) return fail(EINVAL, "machine id");
  memcpy(text, value.at, MACHINE_ID_LENGTH);
  memcpy(text + MACHINE_ID_LENGTH, "\n", 2);
  mkdir("/run/v/machine", 0755); /* a volume that any container may mount its machine-id from */
  int fd = open("/run/v/machine/machine-id", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0444);
  int error = fd < 0 || write(fd, text, MACHINE_ID_LENGTH + 1) < 0 ? errno : 0;
  if (fd >= 0) close(fd);
  return error == 0 ? 0 : fail(error, "machine id");
}

static int set_name(uint16_t tag, struct span value) {
  char text[65];
  if (!span_text(value, text, sizeof text)) return fail(EINVAL, "name");
  int result = tag == TAG_IDENTIFY_HOSTNAME ? sethostname(text, strlen(text)) : setdomainname(text, strlen(text));
  return result < 0 ? fail(errno, "name") : 0;
}

int handle_identify(const struct request *request, struct writer *reply) {
  struct span rest = request->body;
  struct field field;
  bool seeded = false;
  (void)reply;
  if (stage == STAGE_IDENTIFIED) return fail(EALREADY, "identity");
  while (tlv_next(&rest, &field)) {
    int error = 0;
    switch (field.tag) {
      case TAG_IDENTIFY_TIME_NS: error = set_time(span_u64(field.value)); break;
      case TAG_IDENTIFY_ENTROPY: error = add_entropy(field.value); seeded = error == 0; break;
      case TAG_IDENTIFY_MACHINE_ID: error = set_machine_id(field.value); break;
      case TAG_IDENTIFY_HOSTNAME:
      case TAG_IDENTIFY_DOMAIN: error = set_name(field.tag, field.value); break;
      default: break;
    }
    if (error != 0) return error;
  }
  if (!seeded) return fail(EINVAL, "no entropy");
  stage = STAGE_IDENTIFIED;
  return 0;
}

int handle_set_time(const struct request *request, struct writer *reply) {
  struct span rest = request->body;
  struct field field;
  (void)reply;
  while (tlv_next(&rest, &field))
    if (field.tag == TAG_SET_TIME_TIME_NS) return set_time(span_u64(field.value));
  return fail(EINVAL, "no time");
}
