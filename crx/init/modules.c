/*
 * Kernel modules that few guests need: on a disk that is plugged in for them. Such a disk begins with a block of text, a
 * line "NAME LENGTH" for each module; each module then begins at a block. Those of all guests are loaded by main.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

enum { BLOCK = 4096, LONGEST = 64 << 20 };

static int load_from(int disk, off_t at, size_t length) {
  void *image = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (image == MAP_FAILED) return errno;
  int error = 0;
  for (size_t done = 0; error == 0 && done < length;) {
    ssize_t got = pread(disk, (char *)image + done, length - done, at + (off_t)done);
    if (got <= 0) error = got == 0 ? EIO : errno;
    else done += (size_t)got;
  }
  if (error == 0 && syscall(SYS_init_module, image, length, "") < 0 && errno != EEXIST) error = errno;
  munmap(image, length);
  return error;
}

int load_from_disk(const char *serial) {
  char device[64], text[BLOCK + 1], name[64];
  unsigned long length;
  int used, error = 0;
  if (!disk_find(serial, device, sizeof device)) return ENOENT; /* it may still come */
  int disk = open(device, O_RDONLY | O_CLOEXEC);
  if (disk < 0) return errno;
  ssize_t got = pread(disk, text, BLOCK, 0);
  if (got != BLOCK) error = EIO;
  text[got < 0 ? 0 : got] = '\0';
  off_t at = BLOCK;
  for (char *line = text; error == 0 && sscanf(line, "%63s %lu\n%n", name, &length, &used) == 2; line += used) {
    error = length == 0 || length > LONGEST ? EINVAL : load_from(disk, at, length);
    if (error != 0) note("module %s: %s", name, strerror(error));
    at += (off_t)((length + BLOCK - 1) / BLOCK * BLOCK);
  }
  close(disk);
  return error;
}
