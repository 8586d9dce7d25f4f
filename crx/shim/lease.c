#include "lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 256, LOOKS_PER_LEASE = 5, KEPT_LEASES = 16, WAIT_LEASES = 2 };

static const struct lease_wish *wish;
static int shim;
static int folder = -1;
static uint64_t epoch;  /* of the lease that is held; 0 for none */
static uint64_t count;
static bool clean;

static uint64_t clock_ms(clockid_t which) {
  struct timespec now;
  clock_gettime(which, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void tell_with(enum told told, uint64_t since, const char *text, int fd) {
  struct lease_news news = {.told = told, .epoch = epoch, .since_ms = since, .clean = clean};
  char space[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec body = {&news, sizeof news};
  struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1};
  snprintf(news.text, sizeof news.text, "%s", text);
  if (fd >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  if (sendmsg(shim, &message, MSG_NOSIGNAL) < 0) _exit(0);
}

static void tell(enum told told, uint64_t since, const char *text) { tell_with(told, since, text, -1); }

static void trouble(const char *what) {
  char text[LEASE_WHY];
  snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
  tell(TOLD_TROUBLE, 0, text);
}

/* ---- the files */

static const char *name_of(const char *kind, uint64_t number) {
  static char name[LEASE_WORD];
  snprintf(name, sizeof name, "%s.%llu", kind, (unsigned long long)number);
  return name;
}

/* Opened anew each time: that is when a network file system asks its server. */
static bool read_file(const char *name, char out[RECORD]) {
  int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  ssize_t got = read(fd, out, RECORD - 1);
  int error = errno;
  close(fd);
  errno = error;
  if (got < 0) return false;
  out[got] = '\0';
  out[strcspn(out, "\n")] = '\0';
  return true;
}

/* Written through to the share, or not at all. All records have one length, so that a reader never sees a rest. */
static bool write_file(const char *name, const char *text, int flags) {
  char record[RECORD];
  memset(record, ' ', sizeof record);
  record[sizeof record - 1] = '\n';
  size_t length = strlen(text);
  if (length > sizeof record - 2) length = sizeof record - 2;
  memcpy(record, text, length);
  record[length] = '\n';
  int fd = openat(folder, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (fd < 0) return false;
  bool whole = pwrite(fd, record, sizeof record, 0) == (ssize_t)sizeof record && fsync(fd) == 0;
  int error = errno;
  if (close(fd) < 0 && whole) return false;
  errno = error;
  return whole;
}

static bool write_lease(const char *state, int flags) {
  char text[RECORD];
  snprintf(text, sizeof text, "%s %s %llu", state, wish->holder, (unsigned long long)++count);
  return write_file(name_of("lease", epoch), text, flags);
}

/* The newest lease there is, 0 for none; false when the folder cannot be read. */
static bool newest(uint64_t *out) {
  int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again < 0 ? NULL : fdopendir(again);
  if (dir == NULL) return false;
  *out = 0;
  errno = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (strncmp(entry->d_name, "lease.", 6) != 0) continue;
    uint64_t number = strtoull(entry->d_name + 6, NULL, 10);
    if (number > *out) *out = number;
  }
  bool good = errno == 0;
  closedir(dir);
  return good;
}

/* ---- waiting for it */

/* What was seen last, and since when, by a clock that stands while this host sleeps. */
static char seen[RECORD];
static uint64_t seen_epoch, seen_since;

static void take(uint64_t next, bool is_clean) {
  uint64_t began = clock_ms(CLOCK_BOOTTIME);
  epoch = next;
  clean = is_clean;
  if (!write_lease("held", O_CREAT | O_EXCL)) {
    bool late = errno == EEXIST;
    epoch = 0;
    if (!late) trouble("lease");
    return;
  }
  write_file(name_of("end", epoch), "no", O_CREAT | O_TRUNC);
  for (uint64_t old = epoch > KEPT_LEASES ? epoch - KEPT_LEASES : 0; old > 0; old--) {
    unlinkat(folder, name_of("end", old), 0);
    if (unlinkat(folder, name_of("lease", old), 0) < 0) break;
  }
  tell(TOLD_HELD, began, "");
}

static void look(const char *over) {
  char text[RECORD], holder[LEASE_WORD] = "", state[8] = "";
  uint64_t last;
  if (!newest(&last)) return trouble("folder");
  if (last == 0) return take(1, true);
  if (!read_file(name_of("lease", last), text)) return trouble("lease");
  uint64_t now = clock_ms(CLOCK_MONOTONIC);
  if (last != seen_epoch || strcmp(text, seen) != 0) {
    seen_epoch = last;
    memcpy(seen, text, sizeof seen);
    seen_since = now;
  }
  sscanf(text, "%7s %63s", state, holder);
  if (strcmp(state, "free") == 0) return take(last + 1, true);
  if (strcmp(state, "dead") == 0 || now - seen_since >= WAIT_LEASES * wish->lease_ms) return take(last + 1, false);
  if (over[0] != '\0' && strcmp(over, holder) == 0) write_file(name_of("end", last), "end", O_CREAT);
  tell(TOLD_WAITING, 0, holder);
}

/* ---- holding it */

static void renew(void) {
  char text[RECORD];
  uint64_t began = clock_ms(CLOCK_BOOTTIME);
  if (faccessat(folder, name_of("lease", epoch + 1), F_OK, 0) == 0) return tell(TOLD_LOST, 0, "another host has it");
  if (read_file(name_of("end", epoch), text) && strcmp(text, "end") == 0)
    return tell(TOLD_LOST, 0, "it is to end, as another host was told");
  if (!write_lease("held", 0)) return trouble("lease");
  tell(TOLD_HELD, began, "");
}

/* Past this host's memory: what is in it when the machine is killed would be written later, over what others wrote. */
static void give(void) {
  int fd = openat(folder, "disk.raw", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_DIRECT);
  if (fd < 0) return trouble("disk.raw");
  tell_with(TOLD_GIVEN, 0, "", fd);
  close(fd);
}

static void leave(const char *state) {
  if (epoch > 0 && !write_lease(state, 0)) trouble("lease");
  tell(TOLD_DONE, 0, "");
  _exit(0);
}

static void follow(const struct lease_order *order, char over[LEASE_WORD]) {
  switch (order->order) {
    case ORDER_GIVE:
      if (epoch > 0) give();
      return;
    case ORDER_OVER: snprintf(over, LEASE_WORD, "%s", order->over); return;
    case ORDER_FREE: leave("free"); return;
    case ORDER_DEAD: leave("dead"); return;
  }
}

void lease_keep(const struct lease_wish *given, int socket) {
  char over[LEASE_WORD] = "";
  wish = given;
  shim = socket;
  uint64_t every = wish->lease_ms / LOOKS_PER_LEASE, next = 0;
  for (;;) {
    struct lease_order order;
    uint64_t now = clock_ms(CLOCK_BOOTTIME);
    if (now >= next) {
      next = now + every;
      if (folder < 0) folder = open(wish->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (folder < 0) trouble(wish->folder);
      else if (epoch > 0) renew();
      else look(over);
      continue;
    }
    struct pollfd wait = {.fd = shim, .events = POLLIN};
    if (poll(&wait, 1, (int)(next - now)) <= 0) continue;
    ssize_t got = recv(shim, &order, sizeof order, 0);
    if (got == 0 || (got < 0 && errno != EINTR)) _exit(0);
    if (got == sizeof order) follow(&order, over);
  }
}
