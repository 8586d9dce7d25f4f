/*
 * What the driver asks while the machine runs: disks on shares, which QEMU gets as descriptors once their lease is held.
 * A question is one line, its answer another, given at once; who wants to know more asks again.
 *
 *   hold SERIAL LEASE_MS HOLDER OVER FOLDER   begins to wait for a lease; OVER, or "-", has no right to it any more
 *   give SERIAL                               has QEMU get the disk
 *   → waiting HOLDER | held EPOCH clean|unclean | given FDSET | trouble WHY
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lease.h"
#include "shim.h"

enum { LINE = 1024, FIRST_FDSET = 100, NOTHING = -1, NO_NEWS = -2, GONE = -3 };

/* Where a disk stands. */
enum stage { STAGE_WAITING, STAGE_HELD, STAGE_ASKED, STAGE_PASSED, STAGE_GIVEN };

struct keeper {
  struct lease_wish wish;
  pid_t pid; /* 0: a free place */
  int socket;
  enum stage stage;
  uint64_t epoch, deadline_ms;
  bool clean, done;
  char text[LEASE_WHY];
  char trouble[LEASE_WHY];
};

static struct keeper keepers[MOST_KEEPERS];
static int listener = NOTHING, client = NOTHING, monitor = NOTHING;
static char question[LINE], said[LINE];
static size_t asked, heard;
static bool negotiated;
static const char *ended;

void control_open(int listening, int qmp) {
  listener = listening;
  monitor = qmp;
}

static void close_client(void) {
  if (client != NOTHING) close(client);
  client = NOTHING;
  asked = 0;
}

static void answer(const char *word, const char *rest) {
  char line[LINE];
  int length = snprintf(line, sizeof line, "%s %s\n", word, rest);
  if (send(client, line, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) != length) close_client();
}

static struct keeper *find(const char *serial) {
  for (size_t i = 0; i < MOST_KEEPERS; i++)
    if (keepers[i].pid != 0 && strcmp(keepers[i].wish.serial, serial) == 0) return &keepers[i];
  return NULL;
}

static bool start_keeper(struct keeper *keeper, const struct lease_wish *wish) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return false;
  pid_t pid = fork();
  if (pid == 0) {
    /* It has nothing of the machine's but its own end of the pair. */
    int own = dup2(pair[1], 3);
    syscall(SYS_close_range, 4, ~0u, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    lease_keep(wish, own);
  }
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    return false;
  }
  *keeper = (struct keeper){.wish = *wish, .pid = pid, .socket = high(pair[0])};
  return true;
}

static void order(struct keeper *keeper, enum order what, const char *over) {
  if (keeper->socket == NOTHING) return;
  struct lease_order message = {.order = what};
  snprintf(message.over, sizeof message.over, "%s", over);
  ssize_t sent = send(keeper->socket, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)sent; /* it is asked again, and its own end is seen elsewhere */
}

static void tell_stage(const struct keeper *keeper) {
  char text[LEASE_WHY];
  switch (keeper->stage) {
    case STAGE_WAITING:
      if (keeper->trouble[0] != '\0') answer("trouble", keeper->trouble);
      else answer("waiting", keeper->text);
      return;
    case STAGE_HELD:
    case STAGE_ASKED:
    case STAGE_PASSED:
      if (keeper->trouble[0] != '\0' && keeper->stage != STAGE_HELD) return answer("trouble", keeper->trouble);
      snprintf(text, sizeof text, "%llu %s", (unsigned long long)keeper->epoch, keeper->clean ? "clean" : "unclean");
      return answer("held", text);
    case STAGE_GIVEN:
      snprintf(text, sizeof text, "%d", FIRST_FDSET + (int)(keeper - keepers));
      return answer("given", text);
  }
}

static void hold(char *rest) {
  struct lease_wish wish = {.lease_ms = 0};
  char over[LEASE_WORD];
  unsigned long long lease_ms;
  int at = 0;
  if (sscanf(rest, "%63s %llu %63s %63s %n", wish.serial, &lease_ms, wish.holder, over, &at) != 4 || at == 0 ||
      rest[at] != '/' || strlen(rest + at) >= sizeof wish.folder || lease_ms < 500)
    return answer("trouble", "not understood");
  strcpy(wish.folder, rest + at);
  wish.lease_ms = lease_ms;
  struct keeper *keeper = find(wish.serial);
  for (size_t i = 0; keeper == NULL && i < MOST_KEEPERS; i++) {
    if (keepers[i].pid != 0) continue;
    if (!start_keeper(&keepers[i], &wish)) return answer("trouble", strerror(errno));
    keeper = &keepers[i];
  }
  if (keeper == NULL) return answer("trouble", "too many shared disks");
  if (strcmp(over, "-") != 0) order(keeper, ORDER_OVER, over);
  tell_stage(keeper);
}

static void give(const char *serial) {
  struct keeper *keeper = find(serial);
  if (keeper == NULL || keeper->stage == STAGE_WAITING) return answer("trouble", "its lease is not held");
  if (keeper->stage == STAGE_HELD || (keeper->stage == STAGE_ASKED && keeper->trouble[0] != '\0')) {
    keeper->trouble[0] = '\0';
    keeper->stage = STAGE_ASKED;
    order(keeper, ORDER_GIVE, "");
  }
  tell_stage(keeper);
}

static void take_question(char *line) {
  if (strncmp(line, "hold ", 5) == 0) hold(line + 5);
  else if (strncmp(line, "give ", 5) == 0) give(line + 5);
  else answer("trouble", "not understood");
}

static void read_client(void) {
  ssize_t got = recv(client, question + asked, sizeof question - asked, MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) close_client();
    return;
  }
  asked += (size_t)got;
  for (char *end; client != NOTHING && (end = memchr(question, '\n', asked)) != NULL;) {
    char line[LINE];
    size_t length = (size_t)(end - question);
    memcpy(line, question, length);
    line[length] = '\0';
    asked -= length + 1;
    memmove(question, end + 1, asked);
    take_question(line);
  }
  if (asked == sizeof question) close_client();
}

/* ---- QEMU's own monitor, for descriptors */

static bool pass_on(int fd, int set) {
  char text[128], space[CMSG_SPACE(sizeof fd)] = {0};
  const char *first = negotiated ? "" : "{\"execute\":\"qmp_capabilities\"}\n";
  int length = snprintf(text, sizeof text, "%s{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":%d},\"id\":%d}\n", first,
                        set, set);
  struct iovec body = {text, (size_t)length};
  struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(monitor, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != length) return false;
  negotiated = true;
  return true;
}

static void take_answer(char *line) {
  char *id = strstr(line, "\"id\": ");
  int place = id == NULL ? NOTHING : atoi(id + 6) - FIRST_FDSET;
  if (place < 0 || place >= MOST_KEEPERS || keepers[place].stage != STAGE_PASSED) return;
  struct keeper *keeper = &keepers[place];
  if (strstr(line, "\"return\"") != NULL) {
    keeper->stage = STAGE_GIVEN;
    return;
  }
  keeper->stage = STAGE_ASKED;
  snprintf(keeper->trouble, sizeof keeper->trouble, "QEMU does not take the disk");
}

static void read_monitor(void) {
  if (heard == sizeof said) heard = 0; /* a line that long is no answer to us */
  ssize_t got = recv(monitor, said + heard, sizeof said - heard, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) {
    close(monitor);
    monitor = NOTHING;
    return;
  }
  if (got > 0) heard += (size_t)got;
  for (char *end; (end = memchr(said, '\n', heard)) != NULL;) {
    *end = '\0';
    take_answer(said);
    heard -= (size_t)(end - said) + 1;
    memmove(said, end + 1, heard);
  }
}

/* ---- keepers */

static int receive(int from, struct lease_news *news) {
  char space[CMSG_SPACE(sizeof(int))];
  struct iovec body = {news, sizeof *news};
  struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  int fd = NOTHING;
  ssize_t got = recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got != sizeof *news) return got < 0 && (errno == EAGAIN || errno == EINTR) ? NO_NEWS : GONE;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

static void take_news(struct keeper *keeper, const struct lease_news *news, int fd) {
  switch (news->told) {
    case TOLD_WAITING:
      memcpy(keeper->text, news->text, sizeof keeper->text);
      keeper->trouble[0] = '\0';
      return;
    case TOLD_HELD:
      keeper->epoch = news->epoch;
      keeper->clean = news->clean;
      keeper->deadline_ms = news->since_ms + keeper->wish.lease_ms;
      if (keeper->stage == STAGE_WAITING) keeper->stage = STAGE_HELD;
      return;
    case TOLD_GIVEN:
      if (keeper->stage == STAGE_ASKED) keeper->stage = STAGE_PASSED;
      if (fd == NOTHING || monitor == NOTHING || !pass_on(fd, FIRST_FDSET + (int)(keeper - keepers))) {
        keeper->stage = STAGE_ASKED;
        snprintf(keeper->trouble, sizeof keeper->trouble, "the disk cannot be passed on");
      }
      return;
    case TOLD_LOST: ended = "lease ran out"; return;
    case TOLD_TROUBLE: memcpy(keeper->trouble, news->text, sizeof keeper->trouble); return;
    case TOLD_DONE: keeper->done = true; return;
  }
}

static void read_keeper(struct keeper *keeper) {
  struct lease_news news;
  int fd;
  if (keeper->socket == NOTHING) return;
  while ((fd = receive(keeper->socket, &news)) >= NOTHING) {
    take_news(keeper, &news, fd);
    if (fd >= 0) close(fd);
  }
  if (fd != GONE) return;
  /* Nobody renews any more: a lease that was held runs out, a wait may begin anew. */
  close(keeper->socket);
  keeper->socket = NOTHING;
  keeper->done = true;
  snprintf(keeper->trouble, sizeof keeper->trouble, "its keeper is gone");
  if (keeper->stage == STAGE_WAITING) keeper->pid = 0;
}

/* ---- in the loop of watch.c */

size_t control_polls(struct pollfd *out) {
  size_t used = 0;
  const int own[] = {listener, client, monitor};
  for (size_t i = 0; i < 3; i++)
    if (own[i] != NOTHING) out[used++] = (struct pollfd){.fd = own[i], .events = POLLIN};
  for (size_t i = 0; i < MOST_KEEPERS; i++)
    if (keepers[i].pid != 0 && keepers[i].socket != NOTHING)
      out[used++] = (struct pollfd){.fd = keepers[i].socket, .events = POLLIN};
  return used;
}

void control_serve(void) {
  if (monitor != NOTHING) read_monitor();
  for (size_t i = 0; i < MOST_KEEPERS; i++)
    if (keepers[i].pid != 0) read_keeper(&keepers[i]);
  if (client != NOTHING) read_client();
  int next = listener == NOTHING ? NOTHING : accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (next < 0) return;
  close_client();
  client = high(next);
  read_client();
}

uint64_t control_deadline(void) {
  uint64_t first = 0;
  for (size_t i = 0; i < MOST_KEEPERS; i++)
    if (keepers[i].stage != STAGE_WAITING && (first == 0 || keepers[i].deadline_ms < first)) first = keepers[i].deadline_ms;
  return first;
}

const char *control_ended(void) { return ended; }

void control_leave(bool well, uint64_t patience_ms) {
  for (size_t i = 0; i < MOST_KEEPERS; i++) {
    /* A disk that this machine never had is as its last holder left it. */
    bool is_clean = keepers[i].clean || keepers[i].stage == STAGE_GIVEN;
    if (keepers[i].pid != 0) order(&keepers[i], well && is_clean ? ORDER_FREE : ORDER_DEAD, "");
  }
  for (uint64_t waited = 0; waited < patience_ms; waited += 10) {
    bool all = true;
    for (size_t i = 0; i < MOST_KEEPERS; i++) {
      if (keepers[i].pid == 0) continue;
      read_keeper(&keepers[i]);
      all = all && keepers[i].done;
    }
    if (all) break;
    usleep(10000);
  }
  for (size_t i = 0; i < MOST_KEEPERS; i++)
    if (keepers[i].pid != 0) kill(keepers[i].pid, SIGKILL);
}
