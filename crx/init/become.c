/* The last steps of a child: terminal, user, limits, rights, program. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "inside.h"
#include "sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

enum { MOST_STRINGS = 4096, INSTRUCTION = 8, MOST_INSTRUCTIONS = 4096 };

extern int control_fd; /* inside.c */

static char *arguments[MOST_STRINGS + 1], *environment[MOST_STRINGS + 3];
static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct wish {
  size_t argument_count, environment_count;
  const char *cwd, *user;
  bool has_uid, has_gid, no_new_privileges, tty, non_root;
  uid_t uid;
  gid_t gid, groups[MOST_GROUPS];
  size_t group_count;
  uint64_t capabilities;
  struct span seccomp, rlimits[RLIM_NLIMITS];
  size_t rlimit_count;
  int oom_score_adj;
  uint32_t rows, columns, umask;
};

char *span_string(struct span value) {
  if (memchr(value.at, 0, value.length) != NULL) give_up(EINVAL, "text contains NUL");
  char *at = (char *)(uintptr_t)value.at - 1; /* over the last byte of its length, which has been read */
  memmove(at, value.at, value.length);
  at[value.length] = '\0';
  return at;
}

static void keep(char **list, size_t *count, struct span value) {
  if (*count == MOST_STRINGS) give_up(E2BIG, "more than %d arguments or variables", MOST_STRINGS);
  list[(*count)++] = span_string(value);
}

static void read_numbers(struct wish *wish, const struct field *field) {
  uint32_t value = span_u32(field->value);
  switch (field->tag) {
    case TAG_PROCESS_UID: wish->uid = value; wish->has_uid = true; break;
    case TAG_PROCESS_GID: wish->gid = value; wish->has_gid = true; break;
    case TAG_PROCESS_GROUPS:
      if (wish->group_count < MOST_GROUPS) wish->groups[wish->group_count++] = value;
      break;
    case TAG_PROCESS_CAPABILITIES: wish->capabilities = span_u64(field->value); break;
    case TAG_PROCESS_OOM_SCORE_ADJ: wish->oom_score_adj = (int)value; break;
    case TAG_PROCESS_ROWS: wish->rows = value; break;
    case TAG_PROCESS_COLUMNS: wish->columns = value; break;
    case TAG_PROCESS_UMASK: wish->umask = value; break;
    default: break;
  }
}

static void read_wish(struct span process, struct wish *wish) {
  struct field field;
  *wish = (struct wish){.cwd = "/", .umask = 022};
  while (tlv_next(&process, &field)) {
    switch (field.tag) {
      case TAG_PROCESS_ARGS: keep(arguments, &wish->argument_count, field.value); break;
      case TAG_PROCESS_ENV: keep(environment, &wish->environment_count, field.value); break;
      case TAG_PROCESS_CWD: wish->cwd = span_string(field.value); break;
      case TAG_PROCESS_USER: wish->user = span_string(field.value); break;
      case TAG_PROCESS_NO_NEW_PRIVILEGES: wish->no_new_privileges = span_flag(field.value); break;
      case TAG_PROCESS_TTY: wish->tty = span_flag(field.value); break;
      case TAG_PROCESS_NON_ROOT: wish->non_root = span_flag(field.value); break;
      case TAG_PROCESS_SECCOMP: wish->seccomp = field.value; break;
      case TAG_PROCESS_RLIMITS:
        if (wish->rlimit_count < COUNT(wish->rlimits)) wish->rlimits[wish->rlimit_count++] = field.value;
        break;
      default: read_numbers(wish, &field); break;
    }
  }
  if (wish->argument_count == 0) give_up(EINVAL, "no command");
}

/* Makes a terminal in the container's own devpts and hands its master to the loop. */
static void open_terminal(const struct wish *wish, uid_t uid) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  int unlock = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0) give_up(errno, "cannot open a terminal");
  int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) give_up(errno, "cannot open a terminal");
  struct winsize size = {.ws_row = (unsigned short)wish->rows, .ws_col = (unsigned short)wish->columns};
  if (wish->rows > 0) ioctl(master, TIOCSWINSZ, &size);
  if (fchown(slave, uid, (gid_t)-1) < 0) give_up(errno, "cannot hand over the terminal");
  struct word word = {.kind = WORD_TERMINAL};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } rights = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
  memcpy(CMSG_DATA(&rights.header), &master, sizeof master);
  struct iovec part = {&word, sizeof word};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
  if (sendmsg(control_fd, &message, MSG_NOSIGNAL) < 0) give_up(errno, "cannot hand over the terminal");
  close(master);
  for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
  if (ioctl(0, TIOCSCTTY, 0) < 0) give_up(errno, "cannot take the terminal");
}

static void take_stdio(const int stdio[3], uid_t uid) {
  for (int fd = 0; fd < 3; fd++) {
    struct stat status;
    dup2(stdio[fd], fd);
    /* /dev/stdout leads to a pipe that a process without rights must be able to open again. */
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && fchown(fd, uid, (gid_t)-1) < 0)
      give_up(errno, "cannot hand over the output");
  }
}

static void find_user(struct wish *wish, struct user *user) {
  if (wish->has_uid) {
    *user = (struct user){.home = "/"};
    user_of_uid(wish->uid, user);
  } else if (user_find(wish->user == NULL ? "" : wish->user, user) != 0) {
    give_up(ENOENT, "unable to find user %s: no matching entries in passwd file", wish->user);
  }
  if (wish->has_gid) user->gid = wish->gid;
  /* The first group is also one of the others, or a file denied to it could be reached by leaving it out. */
  memmove(user->groups + 1, user->groups, sizeof user->groups - sizeof user->groups[0]);
  user->groups[0] = user->gid;
  if (user->group_count < MOST_GROUPS) user->group_count++;
  for (size_t i = 0; i < wish->group_count && user->group_count < MOST_GROUPS; i++)
    user->groups[user->group_count++] = wish->groups[i];
  if (wish->non_root && user->uid == 0) give_up(EPERM, "container has runAsNonRoot and image will run as root");
}

static void set_rlimits(const struct wish *wish) {
  for (size_t i = 0; i < wish->rlimit_count; i++) {
    struct span rest = wish->rlimits[i];
    struct field field;
    struct rlimit limit = {0, 0};
    uint32_t resource = RLIM_NLIMITS;
    while (tlv_next(&rest, &field)) {
      if (field.tag == TAG_RLIMIT_RESOURCE) resource = span_u32(field.value);
      if (field.tag == TAG_RLIMIT_SOFT) limit.rlim_cur = span_u64(field.value);
      if (field.tag == TAG_RLIMIT_HARD) limit.rlim_max = span_u64(field.value);
    }
    if (resource >= RLIM_NLIMITS || setrlimit((int)resource, &limit) < 0) give_up(errno, "rlimit %u", resource);
  }
}

static void load_seccomp(struct span program) {
  static struct sock_filter filter[MOST_INSTRUCTIONS];
  size_t count = program.length / INSTRUCTION;
  if (count == 0) return;
  if (count > MOST_INSTRUCTIONS || program.length % INSTRUCTION != 0) give_up(EINVAL, "seccomp program");
  memcpy(filter, program.at, program.length);
  struct sock_fprog loaded = {.len = (unsigned short)count, .filter = filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) < 0) give_up(errno, "seccomp program");
}

static void limit_capabilities(uint64_t mask) {
  for (int cap = 0; cap <= 63; cap++)
    if (!(mask >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno == EINVAL) break;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static void set_capabilities(uint64_t mask) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct now[2], sets[2] = {{0}};
  if (syscall(SYS_capget, &header, now) < 0) give_up(errno, "capabilities");
  for (int half = 0; half < 2; half++) {
    uint32_t part = (uint32_t)(mask >> (32 * half)) & now[half].permitted;
    sets[half] = (struct __user_cap_data_struct){.effective = part, .permitted = part, .inheritable = 0};
  }
  if (syscall(SYS_capset, &header, sets) < 0) give_up(errno, "capabilities");
}

static void set_rights(const struct wish *wish, const struct user *user) {
  limit_capabilities(wish->capabilities);
  /* Without no_new_privs a program can be loaded only while there is CAP_SYS_ADMIN. */
  if (!wish->no_new_privileges) load_seccomp(wish->seccomp);
  if (setgroups(user->group_count, user->groups) < 0) give_up(errno, "groups");
  if (setresgid(user->gid, user->gid, user->gid) < 0) give_up(errno, "group %u", user->gid);
  if (setresuid(user->uid, user->uid, user->uid) < 0) give_up(errno, "user %u", user->uid);
  set_capabilities(wish->capabilities);
  if (!wish->no_new_privileges) return;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) give_up(errno, "no_new_privs");
  load_seccomp(wish->seccomp);
}

static const char *variable(const char *name) {
  size_t length = strlen(name);
  for (char **each = environment; *each != NULL; each++)
    if (strncmp(*each, name, length) == 0 && (*each)[length] == '=') return *each + length + 1;
  return NULL;
}

static void complete_environment(struct wish *wish, const struct user *user) {
  static char home[PATH_ROOM + 8], terminal[] = "TERM=xterm";
  if (variable("HOME") == NULL) {
    snprintf(home, sizeof home, "HOME=%s", user->home);
    environment[wish->environment_count++] = home;
  }
  if (wish->tty && variable("TERM") == NULL) environment[wish->environment_count++] = terminal;
}

static void enter_folder(const char *cwd) {
  if (chdir(cwd) == 0) return;
  if (errno == ENOENT) {
    int folder = open_inside(AT_FDCWD, cwd, S_IFDIR | 0755);
    if (folder >= 0 && fchdir(folder) == 0) return;
  }
  give_up(errno, "chdir to cwd (\"%s\") set in config.json failed", cwd);
}

static void execute(void) {
  static char path[PATH_ROOM];
  const char *name = arguments[0];
  if (strchr(name, '/') != NULL) {
    execve(name, arguments, environment);
    give_up(errno, "exec: \"%s\"", name);
  }
  const char *at = variable("PATH");
  if (at == NULL) at = default_path;
  int error = ENOENT;
  for (; at != NULL; at = strchr(at, ':') == NULL ? NULL : strchr(at, ':') + 1) {
    int length = (int)strcspn(at, ":");
    if (snprintf(path, sizeof path, "%.*s/%s", length, length == 0 ? "." : at, name) >= (int)sizeof path) continue;
    execve(path, arguments, environment);
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (error != ENOENT && error != EACCES) break;
  }
  if (error == ENOENT) give_up(error, "exec: \"%s\": executable file not found in $PATH", name);
  give_up(error, "exec: \"%s\"", name);
}

static void set_oom_score(int value) {
  char text[16];
  snprintf(text, sizeof text, "%d", value);
  int error = write_text("/proc/self/oom_score_adj", text);
  /* An image without /proc mounted cannot be told; the container then keeps what it inherited. */
  if (error != 0 && error != ENOENT) give_up(error, "oom_score_adj");
}

void become(struct span process, const int stdio[3]) {
  static struct wish wish;
  static struct user user;
  read_wish(process, &wish);
  find_user(&wish, &user);
  complete_environment(&wish, &user);
  if (wish.tty) open_terminal(&wish, user.uid);
  else take_stdio(stdio, user.uid);
  set_oom_score(wish.oom_score_adj);
  set_rlimits(&wish);
  enter_folder(wish.cwd);
  umask((mode_t)wish.umask);
  for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  set_rights(&wish, &user);
  execute();
  abort();
}
