/*
 * Disks by their serial number; network cards without a driver. In a template the disks' drivers are bound to
 * placeholders, because a disk's contents are asked for anew each time; a card's are not, because address and
 * abilities are asked for once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

enum { ID_NETWORK = 1, ENTRIES_ROOM = 4096 };

/* Entry as getdents64 gives it; opendir would take memory from a heap. */
struct linux_entry {
  uint64_t inode, offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

/* Visits the names in a folder until the visitor says true; returns whether it did. */
static bool visit_folder(const char *path, bool (*visit)(const char *name, void *with), void *with) {
  uint8_t entries[ENTRIES_ROOM] __attribute__((aligned(8)));
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool found = false;
  if (folder < 0) return false;
  for (long got; !found && (got = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;) {
    for (long at = 0; !found && at < got;) {
      const struct linux_entry *entry = (const void *)(entries + at);
      at += entry->length;
      if (entry->name[0] != '.') found = visit(entry->name, with);
    }
  }
  close(folder);
  return found;
}

struct search {
  const char *serial;
  char *out;
  size_t room;
};

/* A virtio disk tells its serial in a file of its own, a SCSI disk in its unit serial number page. */
static bool has_serial(const char *name, void *with) {
  const struct search *search = with;
  char path[PATH_ROOM], text[128];
  size_t skip = 0;
  snprintf(path, sizeof path, "/sys/block/%s/serial", name);
  ssize_t got = read_text(path, text, sizeof text);
  if (got < 0) {
    skip = 4; /* header of the page */
    snprintf(path, sizeof path, "/sys/block/%s/device/vpd_pg80", name);
    got = read_text(path, text, sizeof text);
  }
  if (got < (ssize_t)skip) return false;
  text[skip + strcspn(text + skip, "\n ")] = '\0';
  if (strcmp(text + skip, search->serial) != 0) return false;
  return snprintf(search->out, search->room, "/dev/%s", name) < (int)search->room;
}

static bool is_network_card(const char *name) {
  char path[PATH_ROOM], text[32];
  snprintf(path, sizeof path, "/sys/bus/virtio/devices/%s/device", name);
  return read_text(path, text, sizeof text) > 0 && strtoul(text, NULL, 16) == ID_NETWORK;
}

static bool bind_card(const char *name, void *with) {
  char path[PATH_ROOM];
  (void)with;
  snprintf(path, sizeof path, "/sys/bus/virtio/devices/%s/driver", name);
  if (!is_network_card(name) || access(path, F_OK) == 0) return false;
  int error = write_text("/sys/bus/virtio/drivers_probe", name);
  if (error != 0) note("bind %s: %s", name, strerror(error));
  return false;
}

static bool release_card(const char *name, void *with) {
  (void)with;
  if (is_network_card(name)) write_text("/sys/bus/virtio/drivers/virtio_net/unbind", name);
  return false;
}

void bind_network_cards(void) { visit_folder("/sys/bus/virtio/devices", bind_card, NULL); }

void release_network_cards(void) { visit_folder("/sys/bus/virtio/devices", release_card, NULL); }

/* The host orders what it writes; and whoever looks for a disk finds the places known to the kernel. */
static bool ready_disk(const char *name, void *with) {
  char path[PATH_ROOM], text[128];
  (void)with;
  snprintf(path, sizeof path, "/sys/block/%s/queue/scheduler", name);
  write_text(path, "none");
  snprintf(path, sizeof path, "/sys/block/%s/serial", name);
  read_text(path, text, sizeof text);
  return false;
}

void ready_disks(void) { visit_folder("/sys/block", ready_disk, NULL); }

bool disk_find(const char *serial, char *out, size_t room) {
  struct search search = {.serial = serial, .out = out, .room = room};
  return visit_folder("/sys/block", has_serial, &search);
}
