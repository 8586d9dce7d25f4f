/* Templates on disk, so that the next start of the system need not boot one. Files are root's alone, and sparse. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

enum { PAGE = 4096, CHUNK = 1 << 20 };

static char chunk[CHUNK];

static bool is_zero(const char *page) {
  static const char zero[PAGE];
  return memcmp(page, zero, PAGE) == 0;
}

/* Writes what is not zero: the file is sparse, and so is the memory that is filled from it. */
static bool put(int to, size_t length, off_t at) {
  for (size_t from = 0; from < length; from += PAGE) {
    size_t part = length - from < PAGE ? length - from : PAGE;
    if (part == PAGE && is_zero(chunk + from)) continue;
    if (pwrite(to, chunk + from, part, at + (off_t)from) != (ssize_t)part) return false;
  }
  return true;
}

/* Copies between files of the same length, passing over what was never written. */
static bool copy(int from, int to) {
  for (off_t at = lseek(from, 0, SEEK_DATA); at >= 0; at = lseek(from, at, SEEK_DATA)) {
    off_t end = lseek(from, at, SEEK_HOLE);
    if (end < 0) return false;
    for (; at < end;) {
      size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
      ssize_t got = pread(from, chunk, want, at);
      if (got <= 0 || !put(to, (size_t)got, at)) return false;
      at += got;
    }
  }
  return errno == ENXIO; /* nothing but holes up to the end */
}

void template_load(const char *path, int memory, uint64_t bytes) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0) fail("kept template");
  if ((uint64_t)status.st_size != bytes) {
    errno = EINVAL;
    fail("kept template");
  }
  if (!copy(fd, memory)) fail("kept template");
  close(fd);
}

static bool save(const struct options *options, int memory, const char *path) {
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool whole = ftruncate(fd, (off_t)options->template_ram) == 0 && copy(memory, fd) && fsync(fd) == 0;
  close(fd);
  return whole && rename(options->template_draft, options->template_keep) == 0;
}

void template_save(const struct options *options, int memory) {
  char path[1024];
  snprintf(path, sizeof path, "%s/ram", options->template_draft);
  if (save(options, memory, path)) return;
  /* Another was faster, or the disk is full: machines are copied from memory all the same. */
  unlink(path);
  snprintf(path, sizeof path, "%s/state", options->template_draft);
  unlink(path);
  rmdir(options->template_draft);
}
