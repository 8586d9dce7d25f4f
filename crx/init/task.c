#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "stream.h"
#include "sys.h"

enum { REPORT_ROOM = MAX_TERMINATION_MESSAGE_BYTES + 512 };

static struct task tasks[MAX_STREAMS];

struct task *task_new(void) {
  for (size_t i = 0; i < COUNT(tasks); i++) {
    if (tasks[i].used) continue;
    tasks[i] = (struct task){.used = true, .pid = -1, .control = WATCH_NONE, .oom = WATCH_NONE};
    return &tasks[i];
  }
  return NULL;
}

struct task *task_of_stream(uint32_t number) {
  struct stream *stream = stream_find(number);
  return stream == NULL ? NULL : stream->task;
}

void task_each(void (*visit)(struct task *task, void *with), void *with) {
  for (size_t i = 0; i < COUNT(tasks); i++)
    if (tasks[i].used) visit(&tasks[i], with);
}

unsigned task_alive(void) {
  unsigned alive = 0;
  for (size_t i = 0; i < COUNT(tasks); i++) alive += tasks[i].used && tasks[i].container && !tasks[i].over;
  return alive;
}

/* Removes a tree in a child: what a container left may be deep enough to exhaust whoever walks it. */
static void remove_tree(const char *path) {
  if (sys_fork(0, -1) != 0) return;
  /* Depth first without recursion: follow the first folder down, empty it, come back up. */
  if (chdir(path) < 0) _exit(1);
  remove_here();
  rmdir(path);
  _exit(0);
}

void task_free(struct task *task) {
  watch_close(&task->control);
  watch_close(&task->oom);
  if (task->container && task->group[0] != '\0') {
    cgroup_kill(task->group);
    cgroup_remove(task->group);
  }
  if (task->termination[0] != '\0') unlink(task->termination);
  if (task->upper[0] != '\0') remove_tree(task->upper);
  if (task->stream != NULL) stream_free(task->stream);
  *task = (struct task){.control = WATCH_NONE, .oom = WATCH_NONE};
}

/* ---- reports ---- */

static void put_message(struct writer *out, const struct task *task) {
  uint8_t message[MAX_TERMINATION_MESSAGE_BYTES];
  struct stat status;
  if (task->termination[0] == '\0') return;
  int fd = open(task->termination, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  /* Of a longer message its end is told, as the kubelet does. */
  if (fstat(fd, &status) == 0 && status.st_size > (off_t)sizeof message)
    lseek(fd, status.st_size - (off_t)sizeof message, SEEK_SET);
  ssize_t got = read(fd, message, sizeof message);
  close(fd);
  if (got > 0) put_bytes(out, TAG_CONTAINER_REPORT_MESSAGE, message, (size_t)got);
}

static void put_report(struct writer *out, const struct task *task) {
  put_u32(out, TAG_CONTAINER_REPORT_STREAM, task->stream->number);
  put_text(out, TAG_CONTAINER_REPORT_NAME, task->name);
  put_flag(out, TAG_CONTAINER_REPORT_RUNNING, !task->over);
  put_u32(out, TAG_CONTAINER_REPORT_PID, (uint32_t)task->pid);
  put_u64(out, TAG_CONTAINER_REPORT_STARTED_NS, task->started_ns);
  put_u64(out, TAG_CONTAINER_REPORT_LOG_START, task->stream->log.start);
  put_u64(out, TAG_CONTAINER_REPORT_LOG_END, task->stream->log.end);
  if (!task->over) return;
  put_u32(out, TAG_CONTAINER_REPORT_CODE, task->code);
  put_u32(out, TAG_CONTAINER_REPORT_SIGNAL, task->signal);
  put_flag(out, TAG_CONTAINER_REPORT_OOM_KILLED, task->oom_kills > 0 && (task->signal != 0 || task->code != 0));
  put_u64(out, TAG_CONTAINER_REPORT_FINISHED_NS, task->finished_ns);
  put_message(out, task);
}

static void report_exit(const struct task *task) {
  uint8_t body[REPORT_ROOM];
  struct writer out = writer_on(body, sizeof body);
  put_report(&out, task);
  channel_event(EVENT_EXITED, (struct span){body, out.used});
}

void task_report_all(struct writer *hello) {
  for (size_t i = 0; i < COUNT(tasks); i++) {
    if (!tasks[i].used || !tasks[i].container || tasks[i].starting) continue;
    size_t mark = put_open(hello, TAG_HELLO_CONTAINERS);
    put_report(hello, &tasks[i]);
    put_close(hello, mark);
  }
}

/* ---- life ---- */

static void oom_ready(struct watch *self, uint32_t events) {
  struct task *task = self->owner;
  (void)events;
  uint64_t kills = cgroup_number(task->group, "memory.events", "oom_kill");
  char reread[256];
  ssize_t got = pread(self->fd, reread, sizeof reread, 0); /* arms the next report */
  (void)got;
  if (kills <= task->oom_kills || task->over) return;
  task->oom_kills = kills;
  uint8_t body[16];
  struct writer out = writer_on(body, sizeof body);
  put_u32(&out, TAG_STREAM_NAME_STREAM, task->stream->number);
  channel_event(EVENT_OOM, (struct span){body, out.used});
}

static void ended(struct task *task) {
  task->stream->drain = true;
  if (!task->container) return; /* told when its output has been */
  task->oom_kills = cgroup_number(task->group, "memory.events", "oom_kill");
  cgroup_kill(task->group); /* what the first process leaves behind, if processes are shared */
  stream_no_sink(task->stream);
  report_exit(task);
}

void task_started(struct task *task) {
  if (task->container) {
    task->oom = (struct watch){.ready = oom_ready, .owner = task};
    task->oom.fd = cgroup_open_file(task->group, "memory.events", O_RDONLY);
    if (task->oom.fd >= 0) watch_add(&task->oom, EPOLLPRI);
  }
  if (task->over) ended(task);
}

void task_finish(struct task *task) {
  if (!task->abandoned) report_exit(task);
  task_free(task);
}

void task_abandon(struct task *task) {
  task->abandoned = true;
  if (task->over) return;
  kill(task->pid, SIGHUP);
  kill(task->pid, SIGKILL);
}

void task_reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (size_t i = 0; i < COUNT(tasks); i++) {
      struct task *task = &tasks[i];
      if (!task->used || task->over || task->pid != pid) continue;
      task->over = true;
      task->finished_ns = wall_ns();
      task->signal = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
      task->code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 128 + task->signal;
      if (task->starting) spawn_control(task); /* it may have said why */
      else ended(task);
      break;
    }
  }
  cgroup_retry();
}

/* ---- requests ---- */

int handle_signal(const struct request *request, struct writer *reply) {
  (void)reply;
  struct span rest = request->body;
  struct field field;
  uint32_t number = 0, signal_number = 0;
  bool all = false;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_SIGNAL_STREAM) number = span_u32(field.value);
    if (field.tag == TAG_SIGNAL_SIGNAL) signal_number = span_u32(field.value);
    if (field.tag == TAG_SIGNAL_ALL) all = span_flag(field.value);
  }
  struct task *task = task_of_stream(number);
  if (task == NULL) return fail(ENOENT, "no process %u", number);
  if (task->over) return 0;
  if (task->pid <= 0 || signal_number > 64) return fail(EINVAL, "signal %u", signal_number);
  if (all && signal_number == SIGKILL && task->container) cgroup_kill(task->group);
  return kill(task->pid, (int)signal_number) < 0 && errno != ESRCH ? fail(errno, "kill") : 0;
}

static uint32_t stream_number(const struct request *request) {
  struct span rest = request->body;
  struct field field;
  uint32_t number = 0;
  while (tlv_next(&rest, &field))
    if (field.tag == TAG_STREAM_NAME_STREAM) number = span_u32(field.value);
  return number;
}

int handle_remove(const struct request *request, struct writer *reply) {
  (void)reply;
  struct task *task = task_of_stream(stream_number(request));
  if (task == NULL || !task->container) return 0; /* gone already */
  if (task->starting || !task->over) return fail(EBUSY, "container is running");
  task_free(task);
  return 0;
}

int handle_close_stream(const struct request *request, struct writer *reply) {
  (void)reply;
  struct stream *stream = stream_find(stream_number(request));
  if (stream == NULL || stream->kind == STREAM_CONTAINER) return 0;
  if (stream->kind == STREAM_CONNECT) stream_free(stream);
  else task_abandon(stream->task);
  return 0;
}

int handle_resize(const struct request *request, struct writer *reply) {
  (void)reply;
  struct span rest = request->body;
  struct field field;
  uint32_t number = 0;
  struct winsize size = {0};
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_RESIZE_STREAM) number = span_u32(field.value);
    if (field.tag == TAG_RESIZE_ROWS) size.ws_row = (unsigned short)span_u32(field.value);
    if (field.tag == TAG_RESIZE_COLUMNS) size.ws_col = (unsigned short)span_u32(field.value);
  }
  struct stream *stream = stream_find(number);
  if (stream == NULL) return fail(ENOENT, "no stream %u", number);
  int terminal = stream->out[0].watch.fd;
  if (stream->kind == STREAM_CONNECT || terminal < 0) return fail(ENOTTY, "stream %u", number);
  return ioctl(terminal, TIOCSWINSZ, &size) < 0 ? fail(errno, "stream %u", number) : 0;
}

int handle_subscribe(const struct request *request, struct writer *reply) {
  struct span rest = request->body;
  struct field field;
  uint32_t number = 0;
  uint64_t offset = 0;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_SUBSCRIBE_STREAM) number = span_u32(field.value);
    if (field.tag == TAG_SUBSCRIBE_OFFSET) offset = span_u64(field.value);
  }
  struct stream *stream = stream_find(number);
  if (stream == NULL || stream->kind != STREAM_CONTAINER) return fail(ENOENT, "no container %u", number);
  if (offset < stream->log.start) offset = stream->log.start;
  if (offset > stream->log.end) return fail(ERANGE, "log ends at %llu", (unsigned long long)stream->log.end);
  log_drop(&stream->log, offset);
  stream->out_sent = offset;
  stream->out[0].told = false;
  stream->subscribed = true;
  put_u64(reply, TAG_SUBSCRIBED_OFFSET, offset);
  return 0;
}
