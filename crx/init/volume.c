/* Volumes: named trees at /run/v/NAME, for containers to mount. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"
#include "sys.h"

#ifndef EXT4_IOC_RESIZE_FS
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)
#endif

/* Source: Linux fs/xfs/libxfs/xfs_fs.h, which no header package has */
struct xfs_growth {
  uint64_t blocks;
  uint32_t most_inodes; /* percent of the blocks */
};
#define XFS_IOC_FSGROWFSDATA _IOW('X', 110, struct xfs_growth)
enum { XFS_MOST_INODES = 25 };

enum { MOST_WAITING = 32, SERIAL_ROOM = 64, LOOK_NS = 50000000 };

struct volume {
  char name[NAME_ROOM];
  char device[64]; /* of a disk */
  char filesystem[16];
};

struct wish {
  char name[NAME_ROOM], serial[SERIAL_ROOM], filesystem[16], on[NAME_ROOM];
  uint32_t kind, mode, uid, gid, timeout_ms;
  uint64_t size;
  bool read_only;
};

/* A request for a disk that is not there yet. */
struct waiting {
  struct alarm alarm;
  uint64_t deadline;
  uint64_t request;
  bool used;
  struct wish wish;
};

static struct volume volumes[MAX_VOLUMES];
static struct waiting waiting[MOST_WAITING];

/* One path component, so that no name leads anywhere else. */
static bool good_name(const char *name) {
  return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL && strchr(name, ':') == NULL &&
         strchr(name, ',') == NULL && strchr(name, '\\') == NULL;
}

const char *volume_path(const char *name) {
  static char path[PATH_ROOM];
  struct stat status;
  if (!good_name(name)) return NULL;
  snprintf(path, sizeof path, "/run/v/%s", name);
  return stat(path, &status) == 0 ? path : NULL;
}

static struct volume *find(const char *name) {
  for (size_t i = 0; i < COUNT(volumes); i++)
    if (strcmp(volumes[i].name, name) == 0) return &volumes[i];
  return NULL;
}

void volume_each(void (*visit)(const char *name, const char *path, void *with), void *with) {
  for (size_t i = 0; i < COUNT(volumes); i++)
    if (volumes[i].name[0] != '\0') visit(volumes[i].name, volume_path(volumes[i].name), with);
}

/* Where a volume is mounted: a disk without a file system is a file in its folder. */
static void place_of(const struct volume *volume, char out[PATH_ROOM]) {
  bool is_device = volume->device[0] != '\0' && volume->filesystem[0] == '\0';
  snprintf(out, PATH_ROOM, "/run/v/%s%s", volume->name, is_device ? "/device" : "");
}

void volume_unmount_all(void) {
  char path[PATH_ROOM];
  for (size_t i = COUNT(volumes); i-- > 0;) {
    if (volumes[i].name[0] == '\0') continue;
    place_of(&volumes[i], path);
    if (umount2(path, 0) < 0) umount2(path, MNT_DETACH);
    volumes[i].name[0] = '\0';
  }
}

static struct wish read_wish(struct span body) {
  struct wish wish = {.mode = 0755};
  struct field field;
  while (tlv_next(&body, &field)) {
    switch (field.tag) {
      case TAG_VOLUME_NAME: span_text(field.value, wish.name, sizeof wish.name); break;
      case TAG_VOLUME_KIND: wish.kind = span_u32(field.value); break;
      case TAG_VOLUME_SIZE_BYTES: wish.size = span_u64(field.value); break;
      case TAG_VOLUME_MODE: wish.mode = span_u32(field.value); break;
      case TAG_VOLUME_UID: wish.uid = span_u32(field.value); break;
      case TAG_VOLUME_GID: wish.gid = span_u32(field.value); break;
      case TAG_VOLUME_SERIAL: span_text(field.value, wish.serial, sizeof wish.serial); break;
      case TAG_VOLUME_FILESYSTEM: span_text(field.value, wish.filesystem, sizeof wish.filesystem); break;
      case TAG_VOLUME_READ_ONLY: wish.read_only = span_flag(field.value); break;
      case TAG_VOLUME_ON: span_text(field.value, wish.on, sizeof wish.on); break;
      case TAG_VOLUME_TIMEOUT_MS: wish.timeout_ms = span_u32(field.value); break;
      default: break;
    }
  }
  return wish;
}

static int mount_tmpfs(const struct wish *wish, const char *path) {
  char options[128];
  int used = snprintf(options, sizeof options, "mode=%o,uid=%u,gid=%u", wish->mode & 07777, wish->uid, wish->gid);
  if (wish->size > 0)
    snprintf(options + used, sizeof options - (size_t)used, ",size=%llu", (unsigned long long)wish->size);
  return mount("tmpfs", path, "tmpfs", MS_NODEV, options) < 0 ? fail(errno, "volume %s", wish->name) : 0;
}

/* A disk as it is: its node, in the volume's folder. */
static int show_device(const struct wish *wish, const char *device, const char *path) {
  char node[PATH_ROOM];
  snprintf(node, sizeof node, "%s/device", path);
  int place = open(node, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (place >= 0) close(place);
  if (place < 0 || access(device, F_OK) < 0 || mount(device, node, NULL, MS_BIND, NULL) < 0) {
    int error = errno;
    unlink(node);
    return fail(error, "volume %s on %s", wish->name, device);
  }
  return 0;
}

/* A kernel that has it built in is given no disk with its modules. */
static int load_filesystem(const char *name) {
  char known[4096], line[64];
  if (read_text("/proc/filesystems", known, sizeof known) < 0) return errno;
  snprintf(line, sizeof line, "\t%s\n", name);
  if (strstr(known, line) != NULL) return 0;
  snprintf(line, sizeof line, "modules-%s", name);
  return load_from_disk(line);
}

static int mount_disk(const struct wish *wish, const char *device, const char *path) {
  bool erofs = strcmp(wish->filesystem, "erofs") == 0, xfs = strcmp(wish->filesystem, "xfs") == 0;
  if (wish->filesystem[0] == '\0') return show_device(wish, device, path);
  if (!erofs && !xfs && strcmp(wish->filesystem, "ext4") != 0)
    return fail(EINVAL, "file system \"%s\"", wish->filesystem);
  int error = xfs ? load_filesystem("xfs") : 0;
  if (error != 0) return fail(error, "modules of xfs");
  unsigned long flags = MS_NODEV | (wish->read_only || erofs ? MS_RDONLY : 0u);
  /* Without these a thread looks through the whole file system ahead, which every machine would pay for. */
  const char *options = erofs || xfs ? NULL : "no_prefetch_block_bitmaps,noinit_itable";
  return mount(device, path, wish->filesystem, flags, options) < 0 ? fail(errno, "volume %s on %s", wish->name, device) : 0;
}

static int bind_folder(const struct wish *wish, const char *path) {
  char folder[PATH_ROOM];
  const char *on = volume_path(wish->on);
  if (on == NULL) return fail(ENOENT, "no volume \"%s\"", wish->on);
  if (snprintf(folder, sizeof folder, "%s/%s", on, wish->name) >= (int)sizeof folder) return fail(ENAMETOOLONG, "volume");
  if (mkdir(folder, 0700) < 0 && errno != EEXIST) return fail(errno, "volume %s", wish->name);
  if (chown(folder, wish->uid, wish->gid) < 0 || chmod(folder, wish->mode & 07777) < 0)
    return fail(errno, "volume %s", wish->name);
  return mount(folder, path, NULL, MS_BIND, NULL) < 0 ? fail(errno, "volume %s", wish->name) : 0;
}

static int make(const struct wish *wish, const char *device) {
  char path[PATH_ROOM];
  struct volume *entry = find("");
  if (entry == NULL) return fail(EMFILE, "more than %d volumes", MAX_VOLUMES);
  snprintf(path, sizeof path, "/run/v/%s", wish->name);
  if (mkdir(path, 0755) < 0) return fail(errno, "volume %s", wish->name);
  int error = EINVAL;
  if (wish->kind == VOLUME_TMPFS) error = mount_tmpfs(wish, path);
  else if (wish->kind == VOLUME_DISK) error = mount_disk(wish, device, path);
  else if (wish->kind == VOLUME_DIRECTORY) error = bind_folder(wish, path);
  if (error != 0) {
    rmdir(path);
    return error;
  }
  memcpy(entry->name, wish->name, sizeof entry->name);
  snprintf(entry->device, sizeof entry->device, "%s", device);
  memcpy(entry->filesystem, wish->filesystem, sizeof entry->filesystem);
  return 0;
}

/* A disk shows its serial a moment before it can be opened; the kernel reports it once it can. */
static bool not_ready(int error) { return error == ENXIO || error == ENOENT; }

/* Tries again, also without the kernel's word, which may have come too early. */
static void look_again(struct alarm *alarm) {
  struct waiting *entry = (struct waiting *)alarm; /* its first member */
  volume_retry();
  if (!entry->used) return;
  if (monotonic_ns() < entry->deadline) {
    alarm_set(alarm, LOOK_NS);
    return;
  }
  entry->used = false;
  request_answer(entry->request, ENODEV, "the disk did not appear");
}

void volume_retry(void) {
  char device[64];
  for (size_t i = 0; i < COUNT(waiting); i++) {
    struct waiting *entry = &waiting[i];
    if (!entry->used || !disk_find(entry->wish.serial, device, sizeof device)) continue;
    int error = make(&entry->wish, device);
    if (not_ready(error)) continue;
    alarm_off(&entry->alarm);
    entry->used = false;
    request_answer(entry->request, error, error == 0 ? NULL : strerror(error));
  }
}

static int wait_for(const struct wish *wish, uint64_t request) {
  for (size_t i = 0; i < COUNT(waiting); i++) {
    if (waiting[i].used) continue;
    waiting[i] = (struct waiting){.alarm = {.ring = look_again}, .request = request, .used = true, .wish = *wish};
    waiting[i].deadline = monotonic_ns() + (uint64_t)wish->timeout_ms * 1000000u;
    alarm_set(&waiting[i].alarm, LOOK_NS);
    return LATER;
  }
  return fail(EMFILE, "too many disks are waited for");
}

int handle_volume(const struct request *request, struct writer *reply) {
  struct wish wish = read_wish(request->body);
  char device[64] = "";
  (void)reply;
  if (!good_name(wish.name)) return fail(EINVAL, "volume name");
  if (volume_path(wish.name) != NULL) return fail(EEXIST, "volume %s", wish.name);
  bool found = wish.kind != VOLUME_DISK || disk_find(wish.serial, device, sizeof device);
  int error = found ? make(&wish, device) : fail(ENODEV, "disk %s", wish.serial);
  bool wait = wish.kind == VOLUME_DISK && wish.timeout_ms > 0 && (!found || not_ready(error));
  return wait ? wait_for(&wish, request->ticket) : error;
}

int handle_drop_volume(const struct request *request, struct writer *reply) {
  char path[PATH_ROOM], name[NAME_ROOM] = "";
  struct span rest = request->body;
  struct field field;
  (void)reply;
  while (tlv_next(&rest, &field))
    if (field.tag == TAG_VOLUME_NAME_NAME) span_text(field.value, name, sizeof name);
  struct volume *volume = name[0] == '\0' ? NULL : find(name);
  if (volume == NULL) return 0; /* gone already */
  place_of(volume, path);
  if (umount(path) < 0) return fail(errno, "volume %s", volume->name);
  unlink(path); /* a device's place; a folder is no file */
  snprintf(path, sizeof path, "/run/v/%s", volume->name);
  rmdir(path);
  volume->name[0] = '\0';
  return 0;
}

int handle_grow_volume(const struct request *request, struct writer *reply) {
  char name[NAME_ROOM] = "";
  struct span rest = request->body;
  struct field field;
  uint64_t wanted = 0;
  (void)reply;
  while (tlv_next(&rest, &field)) {
    if (field.tag == TAG_GROW_VOLUME_NAME) span_text(field.value, name, sizeof name);
    if (field.tag == TAG_GROW_VOLUME_SIZE_BYTES) wanted = span_u64(field.value);
  }
  struct volume *volume = name[0] == '\0' ? NULL : find(name);
  if (volume == NULL || volume->device[0] == '\0') return fail(ENOENT, "no such disk volume");
  uint64_t bytes = 0;
  struct stat status;
  int disk = open(volume->device, O_RDONLY | O_CLOEXEC);
  int top = open(volume_path(volume->name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = disk < 0 || top < 0 || ioctl(disk, BLKGETSIZE64, &bytes) < 0 || fstat(top, &status) < 0 ? errno : 0;
  if (error == 0 && bytes < wanted) error = EAGAIN;
  if (error == 0) {
    uint64_t blocks = bytes / (uint64_t)status.st_blksize;
    struct xfs_growth growth = {.blocks = blocks, .most_inodes = XFS_MOST_INODES};
    bool xfs = strcmp(volume->filesystem, "xfs") == 0;
    if ((xfs ? ioctl(top, XFS_IOC_FSGROWFSDATA, &growth) : ioctl(top, EXT4_IOC_RESIZE_FS, &blocks)) < 0) error = errno;
  }
  if (disk >= 0) close(disk);
  if (top >= 0) close(top);
  return error == 0 ? 0 : fail(error, "grow %s", volume->name);
}
