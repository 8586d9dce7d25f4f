/* Starts containers and sessions: what the parent does. The child's part is inside.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "inside.h"
#include "stream.h"
#include "sys.h"
#include "task.h"

enum { MOST_SLOTS = 4 };

/* A child that has prepared itself and waits for its order. */
struct slot {
  pid_t pid; /* 0 when unused */
  int control;
  char group[16];
};

static struct slot slots[MOST_SLOTS];
static unsigned groups_made;
static pid_t shared_pids; /* first process of the process namespace that containers share; 0 before it is needed */

/* ---- children ---- */

/* A child's group and its control socket; the child itself runs `inside_container` and does not return. */
static int new_child(struct slot *out, bool share_pids);

static int share_pid_namespace(void) {
  char path[64];
  if (shared_pids == 0) {
    pid_t child = sys_fork(CLONE_NEWPID, -1);
    if (child < 0) return errno;
    if (child == 0) {
      syscall(SYS_close_range, 3, ~0u, 0); /* it never executes, so it would hold everything open */
      signal(SIGCHLD, SIG_IGN); /* what the containers leave behind is reaped at once */
      for (;;) pause();
    }
    shared_pids = child;
  }
  snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)shared_pids);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0) return errno;
  int error = syscall(SYS_setns, space, CLONE_NEWPID) < 0 ? errno : 0;
  close(space);
  return error;
}

/* Children of process 1 are in its own process namespace again. */
static void own_pid_namespace(void) {
  int space = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  if (space < 0 || syscall(SYS_setns, space, CLONE_NEWPID) < 0) fatal("own process namespace");
  close(space);
}

static int new_child(struct slot *out, bool share_pids) {
  int pair[2];
  snprintf(out->group, sizeof out->group, "c%u", ++groups_made);
  int group = cgroup_make(out->group);
  if (group < 0) return fail(errno, "control group");
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    int error = errno;
    close(group);
    cgroup_remove(out->group);
    return fail(error, "socketpair");
  }
  int error = share_pids ? share_pid_namespace() : 0;
  pid_t child = error != 0 ? -1 : sys_fork(share_pids ? 0 : CLONE_NEWPID, group);
  if (child == 0) {
    close(pair[0]);
    inside_container(pair[1]);
  }
  if (child < 0 && error == 0) error = errno;
  if (share_pids) own_pid_namespace();
  close(group);
  close(pair[1]);
  if (child < 0) {
    close(pair[0]);
    cgroup_remove(out->group);
    return fail(error, "fork");
  }
  *out = (struct slot){.pid = child, .control = pair[0], .group = {0}};
  snprintf(out->group, sizeof out->group, "c%u", groups_made);
  return 0;
}

int handle_prepare(const struct request *request, struct writer *reply) {
  (void)reply;
  struct span rest = request->body;
  struct field field;
  uint32_t wanted = 0;
  while (tlv_next(&rest, &field))
    if (field.tag == TAG_PREPARE_SLOTS) wanted = span_u32(field.value);
  for (size_t i = 0; i < MOST_SLOTS && i < wanted; i++) {
    int error = slots[i].pid != 0 ? 0 : new_child(&slots[i], false);
    if (error != 0) return error;
  }
  if (is_machine()) {
    release_network_cards();
    loopback_up();
    ready_disks();
  }
  if (stage == STAGE_WAITING) stage = STAGE_PREPARED;
  return 0;
}

static int take_child(struct slot *out, bool share_pids) {
  for (size_t i = 0; !share_pids && i < MOST_SLOTS; i++) {
    if (slots[i].pid == 0) continue;
    *out = slots[i];
    slots[i].pid = 0;
    return 0;
  }
  return new_child(out, share_pids);
}

/* ---- input and output ---- */

/* The child's ends, and ours put into the stream. */
static int open_stdio(struct stream *stream, bool input, int child[3]) {
  int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
  for (int i = 0; i < 3; i++) {
    child[i] = -1;
    if (i == 0 && !input) {
      child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (child[0] < 0) return errno;
      continue;
    }
    if (pipe2(pipes[i], O_CLOEXEC) < 0) return errno;
    int ours = pipes[i][i == 0 ? 1 : 0];
    child[i] = pipes[i][i == 0 ? 0 : 1];
    fcntl(ours, F_SETFL, O_NONBLOCK);
    int error = i == 0 ? stream_set_sink(stream, ours, false) : stream_set_output(stream, i - 1, ours);
    if (error != 0) return error;
  }
  return 0;
}

static void close_all(int fds[3]) {
  for (int i = 0; i < 3; i++)
    if (fds[i] >= 0) close(fds[i]);
}

static int take_terminal(struct task *task, int master) {
  int copy = fcntl(master, F_DUPFD_CLOEXEC, 0);
  int error = copy < 0 ? errno : stream_set_output(task->stream, 0, master);
  return error != 0 ? error : stream_set_sink(task->stream, copy, true);
}

/* ---- what a child says while it starts ---- */

static void started(struct task *task) {
  uint8_t body[32];
  struct writer reply = writer_on(body, sizeof body);
  task->starting = false;
  task->started_ns = wall_ns();
  put_u32(&reply, TAG_STARTED_PID, (uint32_t)task->pid);
  put_u64(&reply, TAG_STARTED_STARTED_NS, task->started_ns);
  channel_reply(task->request, 0, (struct span){body, reply.used});
  task_started(task);
}

void spawn_control(struct task *task) {
  while (task->control.fd >= 0) {
    struct word word;
    union {
      struct cmsghdr header;
      char room[CMSG_SPACE(sizeof(int))];
    } rights;
    struct iovec part = {&word, sizeof word};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
    ssize_t got = recvmsg(task->control.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
      int master;
      memcpy(&master, CMSG_DATA(header), sizeof master);
      task->error = take_terminal(task, master);
    }
    if (got == sizeof word && word.kind == WORD_FAILED) {
      word.text[sizeof word.text - 1] = '\0';
      task->error = word.error == 0 ? EIO : word.error;
      snprintf(task->failure, sizeof task->failure, "%s", word.text);
    }
    if (got > 0) continue;
    watch_close(&task->control);
    if (task->error == 0) {
      started(task);
      continue;
    }
    request_answer(task->request, task->error, task->failure);
    kill(task->pid, SIGKILL);
    task_free(task);
    return;
  }
}

static void control_ready(struct watch *self, uint32_t events) {
  (void)events;
  spawn_control(self->owner);
}

static int watch_control(struct task *task, int control, uint64_t request) {
  task->starting = true;
  task->request = request;
  task->control = (struct watch){.fd = control, .ready = control_ready, .owner = task};
  return watch_add(&task->control, EPOLLIN);
}

/* ---- run ---- */

struct run_wish {
  uint32_t stream, log_bytes;
  char name[NAME_ROOM], upper[NAME_ROOM];
  bool share_pids, input, terminal, termination;
  struct span limits;
};

static void read_process(struct span process, bool *input, bool *terminal) {
  struct field field;
  while (tlv_next(&process, &field)) {
    if (field.tag == TAG_PROCESS_STDIN) *input = span_flag(field.value);
    if (field.tag == TAG_PROCESS_TTY) *terminal = span_flag(field.value);
  }
}

static void read_upper(struct span root, struct run_wish *wish) {
  struct field field;
  while (tlv_next(&root, &field))
    if (field.tag == TAG_ROOT_UPPER) span_text(field.value, wish->upper, sizeof wish->upper);
}

static struct run_wish read_run(struct span run) {
  struct run_wish wish = {.log_bytes = 256 << 10};
  struct field field;
  while (tlv_next(&run, &field)) {
    switch (field.tag) {
      case TAG_RUN_STREAM: wish.stream = span_u32(field.value); break;
      case TAG_RUN_NAME: span_text(field.value, wish.name, sizeof wish.name); break;
      case TAG_RUN_LOG_BYTES: wish.log_bytes = span_u32(field.value); break;
      case TAG_RUN_SHARE_PIDS: wish.share_pids = span_flag(field.value); break;
      case TAG_RUN_LIMITS: wish.limits = field.value; break;
      case TAG_RUN_ROOT: read_upper(field.value, &wish); break;
      case TAG_RUN_TERMINATION_PATH: wish.termination = true; break;
      case TAG_RUN_PROCESS: read_process(field.value, &wish.input, &wish.terminal); break;
      default: break;
    }
  }
  return wish;
}

/* The Run message as a file, so that its length does not matter. */
static int payload_file(struct span run) {
  int fd = memfd_create("run", MFD_CLOEXEC);
  if (fd < 0) return -1;
  for (size_t at = 0; at < run.length;) {
    ssize_t put = write(fd, run.at + at, run.length - at);
    if (put <= 0) {
      close(fd);
      return -1;
    }
    at += (size_t)put;
  }
  return fd;
}

static int give_order(int control, const struct go *go, struct span run, const int stdio[3]) {
  int fds[GO_COUNT] = {payload_file(run), stdio[0], stdio[1], stdio[2]};
  size_t count = stdio[1] < 0 ? 1 : GO_COUNT; /* a terminal needs none */
  if (fds[GO_PAYLOAD] < 0) return errno;
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof fds)];
  } rights = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int))}};
  memcpy(CMSG_DATA(&rights.header), fds, count * sizeof(int));
  struct iovec part = {(void *)(uintptr_t)go, sizeof *go};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = &rights,
                           .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  int error = sendmsg(control, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
  close(fds[GO_PAYLOAD]);
  return error;
}

static int make_termination(struct task *task) {
  snprintf(task->termination, sizeof task->termination, "/run/t/%s", task->group);
  int fd = open(task->termination, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  fchmod(fd, 0666); /* any user of the container may write it */
  close(fd);
  return 0;
}

static int start_container(struct task *task, const struct run_wish *wish, const struct request *request) {
  struct slot child;
  struct go go = {.length = (uint32_t)request->body.length};
  int stdio[3] = {-1, -1, -1};
  int error = take_child(&child, wish->share_pids);
  if (error != 0) return error;
  task->pid = child.pid;
  memcpy(task->group, child.group, sizeof task->group);
  error = watch_control(task, child.control, request->ticket);
  if (error == 0) error = log_open(&task->stream->log, wish->log_bytes);
  if (error == 0) error = cgroup_limit(task->group, wish->limits);
  if (error == 0 && !wish->terminal) error = open_stdio(task->stream, wish->input, stdio);
  if (error == 0 && wish->termination) error = make_termination(task);
  const char *upper = wish->upper[0] == '\0' ? NULL : volume_path(wish->upper);
  if (upper != NULL) snprintf(task->upper, sizeof task->upper, "%s/%s", upper, task->group);
  memcpy(go.group, task->group, sizeof go.group);
  memcpy(go.termination, task->termination, sizeof go.termination);
  if (error == 0) error = give_order(child.control, &go, request->body, stdio);
  close_all(stdio);
  return error;
}

int handle_run(const struct request *request, struct writer *reply) {
  (void)reply;
  struct run_wish wish = read_run(request->body);
  if (stage != STAGE_IDENTIFIED && is_machine()) return fail(EAGAIN, "the machine has no identity yet");
  struct task *task = task_new();
  struct stream *stream = task == NULL ? NULL : stream_new(wish.stream, STREAM_CONTAINER);
  if (stream == NULL) {
    int error = task == NULL ? EMFILE : errno;
    if (task != NULL) task_free(task);
    return fail(error, "stream %u", wish.stream);
  }
  task->container = true;
  task->stream = stream;
  stream->task = task;
  memcpy(task->name, wish.name, sizeof task->name);
  int error = start_container(task, &wish, request);
  if (error == 0) return LATER;
  task_free(task);
  return error;
}

/* ---- exec ---- */

static int start_session(struct task *task, struct task *container, const struct request *request, struct span process) {
  int pair[2], stdio[3] = {-1, -1, -1};
  bool input = false, terminal = false;
  char path[64];
  read_process(process, &input, &terminal);
  snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)container->pid);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  int pidfd = sys_pidfd_open(container->pid);
  int group = cgroup_open_file(container->group, "", O_PATH | O_DIRECTORY);
  int error = space < 0 || pidfd < 0 || group < 0 ? ESRCH : 0;
  if (error == 0 && !terminal) error = open_stdio(task->stream, input, stdio);
  if (error == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) error = errno;
  if (error == 0) {
    task->pid = syscall(SYS_setns, space, CLONE_NEWPID) < 0 ? -1 : sys_fork(0, group);
    if (task->pid == 0) inside_session(pair[1], pidfd, process, stdio);
    error = task->pid < 0 ? errno : 0;
    own_pid_namespace();
    close(pair[1]);
    if (error == 0) error = watch_control(task, pair[0], request->ticket);
    else close(pair[0]);
  }
  close_all(stdio);
  if (space >= 0) close(space);
  if (pidfd >= 0) close(pidfd);
  if (group >= 0) close(group);
  return error;
}

int handle_exec(const struct request *request, struct writer *reply) {
  (void)reply;
  struct span rest = request->body, process = {NULL, 0};
  struct field field;
  uint32_t container_number = 0, number = 0;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_EXEC_CONTAINER) container_number = span_u32(field.value);
    if (field.tag == TAG_EXEC_STREAM) number = span_u32(field.value);
    if (field.tag == TAG_EXEC_PROCESS) process = field.value;
  }
  struct task *container = task_of_stream(container_number);
  if (container == NULL || !container->container) return fail(ENOENT, "no container %u", container_number);
  if (container->starting || container->over) return fail(ESRCH, "container is not running");
  struct task *task = task_new();
  struct stream *stream = task == NULL ? NULL : stream_new(number, STREAM_EXEC);
  if (stream == NULL) {
    int error = task == NULL ? EMFILE : errno;
    if (task != NULL) task_free(task);
    return fail(error, "stream %u", number);
  }
  task->stream = stream;
  stream->task = task;
  memcpy(task->group, container->group, sizeof task->group);
  int error = start_session(task, container, request, process);
  if (error == 0) return LATER;
  task_free(task);
  return fail(error, "exec");
}
