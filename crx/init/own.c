/* Gives a volume's files to a group, as a Pod's fsGroup asks for. In a child: a tree may be large, or be deep. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "sys.h"

enum { READ_WRITE = 0660, READ_ONLY = 0440, EXECUTE = 0110, SOME_DESCRIPTORS = 32 };

static gid_t group;

/* As the kubelet does: group, read and write for the group, and set-group-id on folders so that it is inherited. */
static int give(const char *path, const struct stat *status, int kind, struct FTW *where) {
  (void)kind;
  (void)where;
  if (lchown(path, (uid_t)-1, group) < 0) return errno;
  if (S_ISLNK(status->st_mode)) return 0;
  mode_t mode = (status->st_mode & 07777) | READ_WRITE;
  if (S_ISDIR(status->st_mode)) mode |= S_ISGID | EXECUTE;
  return chmod(path, mode) < 0 ? errno : 0;
}

static bool fits(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && status.st_gid == group && (status.st_mode & READ_WRITE) == READ_WRITE &&
         (status.st_mode & S_ISGID) != 0;
}

int handle_own(const struct request *request, struct writer *reply) {
  char name[NAME_ROOM] = "";
  struct span rest = request->body;
  struct field field;
  bool only_on_mismatch = false;
  (void)reply;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_OWN_NAME) span_text(field.value, name, sizeof name);
    if (field.tag == TAG_OWN_GID) group = span_u32(field.value);
    if (field.tag == TAG_OWN_ONLY_ON_MISMATCH) only_on_mismatch = span_flag(field.value);
  }
  const char *path = volume_path(name);
  if (path == NULL) return fail(ENOENT, "no volume \"%s\"", name);
  if (only_on_mismatch && fits(path)) return 0;
  int status = 0;
  pid_t child = sys_fork(0, -1);
  if (child == 0) _exit(nftw(path, give, SOME_DESCRIPTORS, FTW_PHYS | FTW_MOUNT) & 0xff);
  if (child < 0 || waitpid(child, &status, 0) < 0) return fail(errno, "volume %s", name);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  return fail(WIFEXITED(status) ? WEXITSTATUS(status) : EIO, "volume %s", name);
}
