/*
 * For a test: somebody who holds the lease of a disk as the shim does, and writes to the disk as QEMU does. Says what happens a
 * line each, is told what to do a line each:
 *
 *   give     has the disk            write N   writes N to it, in a process of its own, which is killed when the lease is out
 *   read     says what is there      renew     puts a copy in the disk's place
 */
#include "../../crx/shim/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static struct lease_wish wish;
static int disk = -1;
static uint64_t good_until;
static pid_t writer;
static char last[LEASE_WHY + 64];

/* What was said last is not said again. */
static void say(const char *word, unsigned long long number, const char *text) {
  char line[sizeof last];
  snprintf(line, sizeof line, "%s %llu %s", word, number, text);
  if (strcmp(line, last) == 0) return;
  memcpy(last, line, sizeof last);
  printf("@ %s\n", line);
  fflush(stdout);
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static char *block(void) {
  static char bytes[BLOCK] __attribute__((aligned(BLOCK)));
  return bytes;
}

static void start_writing(unsigned long long number) {
  writer = fork();
  if (writer != 0) return;
  memset(block(), 0, BLOCK);
  snprintf(block(), BLOCK, "%llu", number);
  bool whole = pwrite(disk, block(), BLOCK, 0) == BLOCK && fsync(disk) == 0;
  say(whole ? "wrote" : "failed", number, whole ? "" : strerror(errno));
  _exit(0);
}

static void renew(void) {
  char from[LEASE_PATH + 16], to[LEASE_PATH + 16], bytes[BLOCK];
  snprintf(from, sizeof from, "%s/disk.raw", wish.folder);
  snprintf(to, sizeof to, "%s/disk.raw.new", wish.folder);
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ssize_t got = 0;
  while ((got = read(in, bytes, sizeof bytes)) > 0)
    if (write(out, bytes, (size_t)got) != got) break;
  bool whole = got == 0 && fsync(out) == 0 && close(out) == 0 && rename(to, from) == 0;
  close(in);
  say(whole ? "renewed" : "failed", 0, whole ? "" : strerror(errno));
}

static void follow(const char *line, int keeper) {
  struct lease_order order = {.order = ORDER_GIVE};
  if (strncmp(line, "give", 4) == 0 && send(keeper, &order, sizeof order, 0) < 0) say("failed", 0, "give");
  if (strncmp(line, "write ", 6) == 0) start_writing(strtoull(line + 6, NULL, 10));
  if (strncmp(line, "renew", 5) == 0) renew();
  if (strncmp(line, "read", 4) == 0)
    say("read", pread(disk, block(), BLOCK, 0) == BLOCK ? strtoull(block(), NULL, 10) : 0, "");
}

static void hear(int keeper) {
  struct lease_news news;
  char space[CMSG_SPACE(sizeof(int))];
  struct iovec body = {&news, sizeof news};
  struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  if (recvmsg(keeper, &message, 0) != (ssize_t)sizeof news) exit(1);
  switch (news.told) {
    case TOLD_WAITING: say("waiting", 0, news.text); return;
    case TOLD_HELD:
      good_until = news.since_ms + wish.lease_ms;
      say("held", news.epoch, news.clean ? "clean" : "unclean");
      return;
    case TOLD_GIVEN:
      memcpy(&disk, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof disk);
      say("given", news.epoch, "");
      return;
    case TOLD_LOST: say("lost", news.epoch, news.text); exit(0);
    case TOLD_TROUBLE: say("trouble", news.epoch, news.text); return;
    case TOLD_DONE: exit(0);
  }
}

/* As the shim kills QEMU. */
static void end_if_out(void) {
  if (good_until == 0 || now_ms() < good_until) return;
  if (writer > 0) kill(writer, SIGKILL);
  good_until = 0;
  say("out", 0, "");
}

int main(int count, char **words) {
  int ends[2];
  if (count != 4 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0) return 1;
  snprintf(wish.holder, sizeof wish.holder, "%s", words[1]);
  wish.lease_ms = strtoull(words[2], NULL, 10);
  snprintf(wish.folder, sizeof wish.folder, "%s", words[3]);
  if (fork() == 0) lease_keep(&wish, ends[1]);
  for (;;) {
    struct pollfd waits[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    poll(waits, 2, 50);
    end_if_out();
    if (waits[0].revents & POLLIN) hear(ends[0]);
    char line[LEASE_WORD];
    if ((waits[1].revents & POLLIN) && fgets(line, sizeof line, stdin) != NULL) follow(line, ends[0]);
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  }
}
