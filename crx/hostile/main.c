/*
 * For tests: process 1 of a machine whose owner means ill. It says hello and takes its identity like the real one,
 * then does to the host what the name of the first container says.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol.h"

static int port = -1;
static uint8_t in[1 << 17], out[1 << 16];

static void put_all(const void *from, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t put = write(port, (const uint8_t *)from + at, length - at);
    if (put > 0) at += (size_t)put;
    else usleep(1000);
  }
}

static void put_frame(uint8_t type, uint16_t stream, const void *payload, uint32_t length) {
  uint8_t head[PROTOCOL_HEADER_LENGTH] = {type, 0, (uint8_t)stream, (uint8_t)(stream >> 8)};
  memcpy(head + 4, &length, 4);
  put_all(head, sizeof head);
  put_all(payload, length);
}

static void load_modules(void) {
  char text[4096];
  char *rest = NULL;
  int order = open("/modules/order", O_RDONLY);
  ssize_t got = order < 0 ? 0 : read(order, text, sizeof text - 1);
  text[got > 0 ? got : 0] = '\0';
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    line[strcspn(line, " ")] = '\0';
    syscall(SYS_finit_module, open(line, O_RDONLY), "", 0);
  }
}

static void open_port(void) {
  char path[64];
  for (;; usleep(10000))
    for (int device = 0; device < 2; device++)
      for (int number = 0; number < 4; number++) {
        snprintf(path, sizeof path, "/dev/vport%dp%d", device, number);
        port = open(path, O_RDWR);
        if (port >= 0) return;
      }
}

static void garbage(void) {
  memset(out, 0xa5, sizeof out);
  for (;;) put_all(out, sizeof out);
}

static void huge_frame(void) {
  const uint8_t head[] = {FRAME_DATA, 1, 1, 0, 0xff, 0xff, 0xff, 0xff};
  put_all(head, sizeof head);
  garbage();
}

static void events(void) {
  const uint8_t goodbye[] = {EVENT_GOODBYE, 0, 0, 0};
  for (;;) put_frame(FRAME_EVENT, 0, goodbye, sizeof goodbye);
}

static void data(void) {
  for (;;) put_frame(FRAME_DATA, 1, out, 30000);
}

static void half_reply(void) {
  uint8_t head[8] = {0};
  for (;;) {
    head[0] = FRAME_REPLY;
    head[1] = PROTOCOL_MORE;
    head[4] = 0;
    head[5] = 0x40;
    put_all(head, sizeof head);
    put_all(out, 0x4000);
  }
}

static void console(void) {
  static char text[65536];
  memset(text, 'x', sizeof text);
  for (;;) {
    ssize_t put = write(2, text, sizeof text);
    (void)put;
  }
}

static void crash(void) { _exit(3); }

static void misbehave(const uint8_t *request, size_t length) {
  static const struct {
    const char *name;
    void (*act)(void);
  } deeds[] = {{"garbage", garbage}, {"huge-frame", huge_frame}, {"events", events}, {"data", data},
               {"half-reply", half_reply}, {"console", console}, {"crash", crash}};
  for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
    if (memmem(request, length, deeds[i].name, strlen(deeds[i].name)) != NULL) deeds[i].act();
}

static void answer(const uint8_t *frame, uint32_t length) {
  const uint8_t *payload = frame + PROTOCOL_HEADER_LENGTH;
  if (frame[0] == FRAME_HELLO) {
    /* What the host said, its session first, is a good answer: it has the version too. */
    put_frame(FRAME_HELLO, 0, payload, length);
  } else if (frame[0] == FRAME_REQUEST) {
    const uint8_t reply[8] = {payload[0], payload[1], payload[2], payload[3]};
    if (payload[4] == OP_RUN) misbehave(payload, length);
    put_frame(FRAME_REPLY, 0, reply, sizeof reply);
  }
}

int main(void) {
  size_t used = 0;
  mkdir("/dev", 0755);
  mkdir("/sys", 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  int tty = open("/dev/console", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(tty, fd);
  load_modules();
  open_port();
  for (;;) {
    ssize_t got = read(port, in + used, sizeof in - used);
    if (got <= 0) {
      usleep(1000);
      continue;
    }
    used += (size_t)got;
    for (;;) {
      uint32_t length = 0;
      if (used < PROTOCOL_HEADER_LENGTH) break;
      memcpy(&length, in + 4, 4);
      size_t whole = PROTOCOL_HEADER_LENGTH + length;
      if (used < whole) break;
      answer(in, length);
      memmove(in, in + whole, used - whole);
      used -= whole;
    }
  }
}
