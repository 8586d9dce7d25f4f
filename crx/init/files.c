/* Files the host writes into volumes, also as a set that is replaced at once. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

struct file {
  char path[PATH_ROOM], link[PATH_ROOM];
  struct span content;
  uint32_t mode, uid, gid;
  bool is_link;
};

static bool read_file(struct span body, struct file *out) {
  struct field field;
  bool good = true;
  *out = (struct file){.mode = 0644};
  while (tlv_next(&body, &field)) {
    switch (field.tag) {
      case TAG_FILE_PATH: good = good && span_text(field.value, out->path, sizeof out->path); break;
      case TAG_FILE_CONTENT: out->content = field.value; break;
      case TAG_FILE_MODE: out->mode = span_u32(field.value); break;
      case TAG_FILE_UID: out->uid = span_u32(field.value); break;
      case TAG_FILE_GID: out->gid = span_u32(field.value); break;
      case TAG_FILE_LINK: out->is_link = good = good && span_text(field.value, out->link, sizeof out->link); break;
      default: break;
    }
  }
  return good && out->path[0] != '\0';
}

static int write_all(int fd, struct span content) {
  for (size_t at = 0; at < content.length;) {
    ssize_t put = write(fd, content.at + at, content.length - at);
    if (put < 0 && errno != EINTR) return errno;
    if (put > 0) at += (size_t)put;
  }
  return 0;
}

/* Opens the folder a path lies in, below `top`, and makes it if need be; `name` is set to the last component. */
static int open_parent(int top, const char *path, const char **name) {
  char parent[PATH_ROOM];
  const char *slash = strrchr(path, '/');
  *name = slash == NULL ? path : slash + 1;
  if ((*name)[0] == '\0' || strcmp(*name, "..") == 0 || strcmp(*name, ".") == 0) {
    errno = EINVAL;
    return -1;
  }
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  memcpy(parent, path, length);
  parent[length] = '\0';
  int folder = open_inside(top, length == 0 ? "." : parent, S_IFDIR | 0755);
  return folder;
}

static int write_file(int top, const struct file *file) {
  const char *name;
  int folder = open_parent(top, file->path, &name);
  if (folder < 0) return errno;
  int error = 0;
  if (file->is_link) {
    unlinkat(folder, name, 0);
    if (symlinkat(file->link, folder, name) < 0) error = errno;
    close(folder);
    return error;
  }
  /* In place and not by renaming: a container may have this very file mounted. */
  int fd = openat(folder, name, O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  close(folder);
  if (fd < 0) return errno;
  error = write_all(fd, file->content);
  if (error == 0 && (fchown(fd, file->uid, file->gid) < 0 || fchmod(fd, file->mode & 07777) < 0)) error = errno;
  close(fd);
  return error;
}

static int write_files(int top, struct span body) {
  static struct file file;
  struct field field;
  while (tlv_next(&body, &field)) {
    if (field.tag != TAG_FILES_FILES) continue;
    if (!read_file(field.value, &file)) return fail(EINVAL, "file path");
    int error = write_file(top, &file);
    if (error != 0) return fail(error, "file %s", file.path);
  }
  return 0;
}

/* A link NAME -> ..data/NAME for the first component of each path. */
static int link_names(int top, struct span body) {
  static struct file file;
  struct field field;
  char target[PATH_ROOM + 8];
  while (tlv_next(&body, &field)) {
    if (field.tag != TAG_FILES_FILES || !read_file(field.value, &file)) continue;
    file.path[strcspn(file.path, "/")] = '\0';
    snprintf(target, sizeof target, "..data/%s", file.path);
    if (symlinkat(target, top, file.path) < 0 && errno != EEXIST) return fail(errno, "link %s", file.path);
  }
  return 0;
}

/* Removes the directory of a set that is no longer shown. In a child, as every removal of a tree. */
static void remove_set(int top, const char *name) {
  if (name[0] == '\0' || sys_fork(0, -1) != 0) return;
  int folder = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder >= 0 && fchdir(folder) == 0) {
    remove_here();
    unlinkat(top, name, AT_REMOVEDIR);
  }
  _exit(0);
}

/* Names that were in the old set and are not in the new one. */
static void unlink_stale(int top, const char *old, const char *now) {
  uint8_t entries[4096] __attribute__((aligned(8)));
  int folder = old[0] == '\0' ? -1 : openat(top, old, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int current = openat(top, now, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  for (long got; folder >= 0 && (got = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;) {
    for (long at = 0; at < got;) {
      const char *name = (const char *)entries + at + 19; /* after inode, offset, length and type */
      at += load_u16(entries + at + 16);
      if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
      if (faccessat(current, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0) unlinkat(top, name, 0);
    }
  }
  if (folder >= 0) close(folder);
  if (current >= 0) close(current);
}

/*
 * The layout of Kubernetes' AtomicWriter: the files lie in a directory ..VERSION, the link ..data leads to it and
 * is replaced by renaming, and what the user sees are links into ..data.
 */
static int replace_set(int top, const char *version, struct span body) {
  char folder[NAME_ROOM + 8], old[NAME_ROOM + 8];
  snprintf(folder, sizeof folder, "..%s", version);
  if (mkdirat(top, folder, 0755) < 0) return fail(errno, "set %s", version);
  int set = openat(top, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (set < 0) return fail(errno, "set %s", version);
  int error = write_files(set, body);
  close(set);
  ssize_t length = readlinkat(top, "..data", old, sizeof old - 1);
  old[length < 0 ? 0 : length] = '\0';
  unlinkat(top, "..data_tmp", 0);
  if (error == 0 && symlinkat(folder, top, "..data_tmp") < 0) error = fail(errno, "set %s", version);
  if (error == 0 && renameat(top, "..data_tmp", top, "..data") < 0) error = fail(errno, "set %s", version);
  if (error == 0) error = link_names(top, body);
  if (error != 0) return error;
  unlink_stale(top, old, folder);
  remove_set(top, old);
  return 0;
}

int handle_files(const struct request *request, struct writer *reply) {
  char name[NAME_ROOM] = "", version[NAME_ROOM] = "";
  struct span rest = request->body;
  struct field field;
  bool atomic = false;
  (void)reply;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_FILES_VOLUME) span_text(field.value, name, sizeof name);
    if (field.tag == TAG_FILES_VERSION) span_text(field.value, version, sizeof version);
    if (field.tag == TAG_FILES_ATOMIC) atomic = span_flag(field.value);
  }
  const char *path = volume_path(name);
  int top = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (top < 0) return fail(ENOENT, "no volume \"%s\"", name);
  if (atomic && (version[0] == '\0' || strchr(version, '/') != NULL)) {
    close(top);
    return fail(EINVAL, "version");
  }
  int error = atomic ? replace_set(top, version, request->body) : write_files(top, request->body);
  close(top);
  return error;
}
