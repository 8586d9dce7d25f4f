/* A container's root: an overlay, the kernel's file systems, its volumes; then nothing else is left to see. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "inside.h"
#include "sys.h"

enum { MOST_LAYERS = 16 };

static const char root_path[] = "/run/root", skeleton_path[] = "/run/skeleton";
static const unsigned long long inside = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

/* ---- prepared before anything is known of the container ---- */

static int new_mount(const char *type, const char *const options[], unsigned attributes) {
  int context = sys_fsopen(type);
  if (context < 0) give_up(errno, "%s", type);
  for (size_t i = 0; options != NULL && options[i] != NULL; i += 2)
    if (sys_fsconfig(context, FSCONFIG_SET_STRING, options[i], options[i + 1]) < 0) give_up(errno, "%s", type);
  if (sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) < 0) give_up(errno, "%s", type);
  int mounted = sys_fsmount(context, attributes);
  if (mounted < 0) give_up(errno, "%s", type);
  close(context);
  return mounted;
}

static void mount_at(const char *type, const char *path, unsigned long flags, const char *options) {
  if (mount(type, path, type, flags, options) < 0) give_up(errno, "%s", path);
}

/* Devices are bound from the machine's own /dev one by one: nowhere in a container does a node of its making work. */
static void make_dev(void) {
  static const char *const nodes[] = {"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty"};
  static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},      {"/proc/self/fd/0", "dev/stdin"},
                                         {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
                                         {"pts/ptmx", "dev/ptmx"}};
  static const char *const folders[] = {"dev/pts", "dev/shm", "dev/mqueue"};
  char source[32];
  for (size_t i = 0; i < COUNT(nodes); i++) {
    int place = open(nodes[i], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (place >= 0) close(place);
    snprintf(source, sizeof source, "/%s", nodes[i]);
    if (place < 0 || mount(source, nodes[i], NULL, MS_BIND, NULL) < 0) give_up(errno, "/%s", nodes[i]);
  }
  for (size_t i = 0; i < COUNT(links); i++)
    if (symlink(links[i][0], links[i][1]) < 0) give_up(errno, "/dev");
  for (size_t i = 0; i < COUNT(folders); i++)
    if (mkdir(folders[i], 0755) < 0) give_up(errno, "/dev");
}

/* What would let a container change or read the machine: hidden, or read-only. */
static const char *const hidden[] = {"proc/acpi",         "proc/kcore",       "proc/keys", "proc/latency_stats",
                                     "proc/timer_list",   "proc/timer_stats", "proc/sched_debug", "proc/scsi",
                                     "proc/interrupts",   "sys/firmware",     "sys/devices/virtual/powercap"};
static const char *const fixed[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};

static void mask(void) {
  for (size_t i = 0; i < COUNT(hidden); i++) {
    struct stat status;
    if (stat(hidden[i], &status) < 0) continue;
    const char *cover = S_ISDIR(status.st_mode) ? "empty" : "dev/null";
    if (mount(cover, hidden[i], NULL, MS_BIND, NULL) < 0) give_up(errno, "/%s", hidden[i]);
  }
  for (size_t i = 0; i < COUNT(fixed); i++) {
    const unsigned long again = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NODEV;
    if (mount(fixed[i], fixed[i], NULL, MS_BIND, NULL) < 0) continue;
    if (mount(NULL, fixed[i], NULL, again, NULL) < 0) give_up(errno, "/%s", fixed[i]);
  }
}

static void unmask(void) {
  for (size_t i = 0; i < COUNT(hidden); i++) umount2(hidden[i], MNT_DETACH);
  for (size_t i = 0; i < COUNT(fixed); i++) umount2(fixed[i], MNT_DETACH);
}

void root_prepare(void) {
  static const char *const folders[] = {"proc", "sys", "dev", "empty"};
  const unsigned long strict = MS_NOSUID | MS_NOEXEC | MS_NODEV;
  /* What the loop mounts later, a volume, shall be seen here; what is mounted here shall not be seen there. */
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) give_up(errno, "mount namespace");
  umask(0);
  mount_at("tmpfs", skeleton_path, strict, "mode=700,size=64k");
  if (chdir(skeleton_path) < 0) give_up(errno, "skeleton");
  for (size_t i = 0; i < COUNT(folders); i++)
    if (mkdir(folders[i], 0555) < 0) give_up(errno, "skeleton");
  mount_at("proc", "proc", strict, NULL);
  mount_at("sysfs", "sys", strict | MS_RDONLY, NULL);
  mount_at("cgroup2", "sys/fs/cgroup", strict | MS_RDONLY, NULL);
  mount_at("tmpfs", "dev", strict, "mode=755,size=64k");
  make_dev();
  mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_at("mqueue", "dev/mqueue", strict, NULL);
  mount_at("tmpfs", "dev/shm", strict, "mode=1777,size=64m");
  mask();
  umask(022);
}

/* ---- paths inside a root ---- */

/* Makes one missing component; its parent exists or is made first. */
static int make_inside(int root, const char *path, mode_t mode) {
  char parent[PATH_ROOM];
  size_t length = strlen(path);
  while (length > 0 && path[length - 1] == '/') length--;
  size_t cut = length;
  while (cut > 0 && path[cut - 1] != '/') cut--;
  if (length == 0 || length >= sizeof parent) {
    errno = length == 0 ? EISDIR : ENAMETOOLONG;
    return -1;
  }
  char name[256];
  if (length - cut >= sizeof name) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(parent, path, cut);
  parent[cut] = '\0';
  memcpy(name, path + cut, length - cut);
  name[length - cut] = '\0';
  int folder = open_inside(root, cut == 0 ? "." : parent, S_IFDIR | 0755);
  if (folder < 0) return -1;
  int made;
  if (S_ISDIR(mode)) {
    made = mkdirat(folder, name, mode & 07777);
  } else {
    made = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode & 07777);
    if (made >= 0) close(made);
  }
  if (made < 0 && errno != EEXIST) {
    int error = errno;
    close(folder);
    errno = error;
    return -1;
  }
  int opened = sys_openat2(folder, name, O_PATH | O_NOFOLLOW, 0);
  close(folder);
  return opened;
}

int open_inside(int root, const char *path, mode_t make) {
  int found = sys_openat2(root, path, O_PATH, inside);
  if (found >= 0 || errno != ENOENT || make == 0) return found;
  return make_inside(root, path, make);
}

/* ---- the overlay ---- */

static void append(char *text, size_t room, const char *more) {
  size_t used = strlen(text);
  if (strlen(more) >= room - used) give_up(ENAMETOOLONG, "too many layers");
  strcpy(text + used, more);
}

struct root_wish {
  const char *layers[MOST_LAYERS];
  size_t layer_count;
  const char *upper;
  bool read_only;
};

static struct root_wish read_root(struct span root) {
  struct root_wish wish = {.layer_count = 0};
  struct field field;
  while (tlv_next(&root, &field)) {
    if (field.tag == TAG_ROOT_UPPER) wish.upper = span_string(field.value);
    if (field.tag == TAG_ROOT_READ_ONLY) wish.read_only = span_flag(field.value);
    if (field.tag != TAG_ROOT_LAYERS) continue;
    if (wish.layer_count == MOST_LAYERS) give_up(E2BIG, "more than %d layers", MOST_LAYERS);
    wish.layers[wish.layer_count++] = span_string(field.value);
  }
  if (wish.layer_count == 0) give_up(EINVAL, "a root needs a layer");
  return wish;
}

static const char *existing_volume(const char *name) {
  const char *path = volume_path(name);
  if (path == NULL) give_up(ENOENT, "no volume \"%s\"", name);
  return path;
}

/* Where the container's writes go: a folder of its own in a volume, or memory that goes with it. */
static void make_upper(const struct root_wish *wish, const struct go *go, char *base) {
  static const char *const options[] = {"mode", "755", NULL};
  char path[PATH_ROOM];
  if (wish->upper == NULL) {
    int memory = new_mount("tmpfs", options, 0);
    if (sys_move_mount(memory, AT_FDCWD, "/run/upper") < 0) give_up(errno, "writable layer");
    close(memory);
    strcpy(base, "/run/upper");
  } else {
    snprintf(base, PATH_ROOM - 8, "%s/%s", existing_volume(wish->upper), go->group);
    if (mkdir(base, 0700) < 0) give_up(errno, "writable layer");
  }
  snprintf(path, sizeof path, "%s/up", base);
  if (mkdir(path, 0755) < 0) give_up(errno, "writable layer");
  snprintf(path, sizeof path, "%s/work", base);
  if (mkdir(path, 0700) < 0) give_up(errno, "writable layer");
}

static bool mount_overlay(const struct root_wish *wish, const struct go *go) {
  static char options[4096];
  static char base[PATH_ROOM];
  strcpy(options, "lowerdir=");
  for (size_t i = 0; i < wish->layer_count; i++) {
    if (i > 0) append(options, sizeof options, ":");
    append(options, sizeof options, existing_volume(wish->layers[i]));
  }
  make_upper(wish, go, base);
  append(options, sizeof options, ",upperdir=");
  append(options, sizeof options, base);
  append(options, sizeof options, "/up,workdir=");
  append(options, sizeof options, base);
  append(options, sizeof options, "/work,volatile");
  if (mount("overlay", root_path, "overlay", MS_NODEV, options) < 0) give_up(errno, "root (%s)", options);
  return wish->read_only;
}

/* ---- mounts in it ---- */

/* Moves a part of the skeleton to its place. The image may have made that place anything, but it is not followed. */
static void attach(int root, const char *path) {
  char from[64];
  snprintf(from, sizeof from, "%s/%s", skeleton_path, path);
  int mounted = sys_open_tree(AT_FDCWD, from, 0);
  int target = sys_openat2(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH);
  if (target < 0 && errno == ENOENT && mkdirat(root, path, 0755) == 0)
    target = sys_openat2(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH);
  if (mounted < 0 || target < 0 || sys_move_mount(mounted, target, "") < 0) give_up(errno, "/%s", path);
  close(mounted);
  close(target);
}

static void bind(int source, int target, unsigned long long attributes, const char *name) {
  int copy = sys_open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
  if (copy < 0) give_up(errno, "mount \"%s\"", name);
  if (attributes != 0 && sys_mount_setattr(copy, AT_RECURSIVE, attributes) < 0) give_up(errno, "mount \"%s\"", name);
  if (sys_move_mount(copy, target, "") < 0) give_up(errno, "mount \"%s\"", name);
  close(copy);
}

static void mount_volume(int root, struct span message) {
  const char *volume = "", *path = ".", *target = "";
  bool read_only = false, create = false;
  struct field field;
  while (tlv_next(&message, &field)) {
    switch (field.tag) {
      case TAG_MOUNT_VOLUME: volume = span_string(field.value); break;
      case TAG_MOUNT_PATH: path = span_string(field.value); break;
      case TAG_MOUNT_TARGET: target = span_string(field.value); break;
      case TAG_MOUNT_READ_ONLY: read_only = span_flag(field.value); break;
      case TAG_MOUNT_CREATE: create = span_flag(field.value); break;
      default: break;
    }
  }
  struct stat status;
  int top = open(existing_volume(volume), O_PATH | O_DIRECTORY | O_CLOEXEC);
  int source = top < 0 ? -1 : open_inside(top, path[0] == '\0' ? "." : path, create ? S_IFDIR | 0750 : 0);
  if (source < 0 || fstat(source, &status) < 0) give_up(errno, "volume \"%s\", path \"%s\"", volume, path);
  int place = open_inside(root, target, S_ISDIR(status.st_mode) ? S_IFDIR | 0755 : S_IFREG | 0644);
  if (place < 0) give_up(errno, "mount point \"%s\"", target);
  /* A disk's node is bound from the machine's own /dev, as those of make_dev are. */
  unsigned long long no_devices = S_ISBLK(status.st_mode) ? 0u : MOUNT_ATTR_NODEV;
  bind(source, place, no_devices | (read_only ? MOUNT_ATTR_RDONLY : 0u), target);
  close(top);
  close(source);
  close(place);
}

static void mount_termination(int root, const char *target, const struct go *go) {
  int source = open(go->termination, O_PATH | O_CLOEXEC);
  int place = source < 0 ? -1 : open_inside(root, target, S_IFREG | 0644);
  if (place < 0) give_up(errno, "termination message path \"%s\"", target);
  bind(source, place, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID, target);
  close(source);
  close(place);
}

static void leave_old_root(int root, bool read_only) {
  if (fchdir(root) < 0 || sys_pivot_root(".", ".") < 0) give_up(errno, "pivot_root");
  if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) give_up(errno, "leave the old root");
  int top = read_only ? open("/", O_PATH | O_CLOEXEC) : -1;
  if (read_only && sys_mount_setattr(top, 0, MOUNT_ATTR_RDONLY) < 0) give_up(errno, "read-only root");
  if (top >= 0) close(top);
}

/* The skeleton as this container wants it. */
static void adjust(struct span run) {
  char options[48];
  struct field field;
  if (chdir(skeleton_path) < 0) give_up(errno, "skeleton");
  while (tlv_next(&run, &field)) {
    if (field.tag == TAG_RUN_UNMASKED && span_flag(field.value)) unmask();
    if (field.tag == TAG_RUN_OWN_IPC && span_flag(field.value)) mount_at("mqueue", "dev/mqueue", MS_NOSUID | MS_NODEV, NULL);
    if (field.tag == TAG_RUN_SHM_BYTES && span_u64(field.value) > 0) {
      snprintf(options, sizeof options, "size=%llu", (unsigned long long)span_u64(field.value));
      if (mount(NULL, "dev/shm", NULL, MS_REMOUNT | MS_NOSUID | MS_NOEXEC | MS_NODEV, options) < 0) give_up(errno, "/dev/shm");
    }
  }
}

void root_enter(struct span run, const struct go *go) {
  struct span rest = run;
  struct field field;
  bool read_only = false;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) give_up(errno, "mount namespace");
  adjust(run);
  while (tlv_next(&rest, &field)) {
    if (field.tag != TAG_RUN_ROOT) continue;
    struct root_wish wish = read_root(field.value);
    read_only = mount_overlay(&wish, go);
  }
  int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) give_up(errno, "root");
  attach(root, "proc");
  attach(root, "sys");
  attach(root, "dev");
  for (rest = run; tlv_next(&rest, &field);) {
    if (field.tag == TAG_RUN_MOUNTS) mount_volume(root, field.value);
    if (field.tag == TAG_RUN_TERMINATION_PATH) mount_termination(root, span_string(field.value), go);
  }
  leave_old_root(root, read_only);
  close(root);
}
