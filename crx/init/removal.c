/* Empties the current folder, however deep, without recursion and without following anything out of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

static unsigned long removed;

/* Removes what can be; returns whether a folder with something in it was entered instead. */
static int empty_or_enter(void) {
  DIR *folder = opendir(".");
  struct dirent *entry;
  if (folder == NULL) return 0;
  while ((entry = readdir(folder)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (unlinkat(AT_FDCWD, entry->d_name, 0) == 0 || unlinkat(AT_FDCWD, entry->d_name, AT_REMOVEDIR) == 0) {
      removed++;
      continue;
    }
    int next = open(entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) continue;
    int entered = fchdir(next) == 0;
    close(next);
    if (!entered) continue;
    closedir(folder);
    return 1;
  }
  closedir(folder);
  return 0;
}

void remove_here(void) {
  unsigned long last = ~0ul;
  for (unsigned depth = 0;;) {
    if (empty_or_enter()) {
      depth++;
      continue;
    }
    /* Coming up twice without having removed anything means that something cannot be removed. */
    if (depth == 0 || removed == last) return;
    last = removed;
    depth--;
    if (chdir("..") < 0) return;
  }
}
