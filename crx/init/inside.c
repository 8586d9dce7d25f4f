#include "inside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "sys.h"

int control_fd = -1;

void give_up(int error, const char *format, ...) {
  struct word word = {.kind = WORD_FAILED, .error = error};
  va_list rest;
  va_start(rest, format);
  int used = vsnprintf(word.text, sizeof word.text, format, rest);
  va_end(rest);
  if (used >= 0 && (size_t)used < sizeof word.text && strstr(word.text, "not found in $PATH") == NULL)
    snprintf(word.text + used, sizeof word.text - (size_t)used, ": %s", strerror(error));
  send(control_fd, &word, sizeof word, MSG_NOSIGNAL);
  _exit(127);
}

/* Waits for the order. Its descriptors go to `fds`, -1 where there is none. */
static struct go wait_for_go(int fds[GO_COUNT]) {
  struct go go;
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * GO_COUNT)];
  } rights;
  struct iovec part = {&go, sizeof go};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
  for (int i = 0; i < GO_COUNT; i++) fds[i] = -1;
  ssize_t got;
  do got = recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got != sizeof go) _exit(0); /* no longer wanted */
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != NULL && header->cmsg_type == SCM_RIGHTS)
    memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  return go;
}

static void set_names(struct span run) {
  char hostname[65];
  struct field field;
  while (tlv_next(&run, &field)) {
    if (field.tag == TAG_RUN_HOSTNAME && span_text(field.value, hostname, sizeof hostname) &&
        sethostname(hostname, strlen(hostname)) < 0)
      give_up(errno, "hostname");
    if (field.tag == TAG_RUN_OWN_IPC && span_flag(field.value) && unshare(CLONE_NEWIPC) < 0) give_up(errno, "IPC");
  }
}

void inside_container(int control) {
  int fds[GO_COUNT];
  control_fd = control;
  if (unshare(CLONE_NEWCGROUP | CLONE_NEWNS) < 0) give_up(errno, "namespaces");
  root_prepare();
  struct go go = wait_for_go(fds);
  uint8_t *text = mmap(NULL, go.length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[GO_PAYLOAD], 0);
  if (text == MAP_FAILED) give_up(errno, "order");
  struct span run = {text, go.length}, rest = run, process = {NULL, 0};
  struct field field;
  setsid();
  /* Only now: a slot of a template must not keep the names it had there. */
  if (unshare(CLONE_NEWUTS) < 0) give_up(errno, "namespaces");
  set_names(run);
  root_enter(run, &go);
  while (tlv_next(&rest, &field))
    if (field.tag == TAG_RUN_PROCESS) process = field.value;
  become(process, fds + GO_INPUT);
}

void inside_session(int control, int pidfd, struct span process, const int stdio[3]) {
  control_fd = control;
  if (syscall(SYS_setns, pidfd, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP) < 0)
    give_up(errno, "container's namespaces");
  setsid();
  become(process, stdio);
}
