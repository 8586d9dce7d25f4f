/* Users and groups as the image's own /etc/passwd and /etc/group have them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"

enum { LINE_ROOM = 4096, MOST_FIELDS = 7 };

struct lines {
  int fd;
  char buffer[16384];
  size_t at, end;
};

/* One line without its end; longer ones are cut. False at the end of the file. */
static bool next_line(struct lines *in, char *out) {
  size_t length = 0;
  bool any = false;
  for (;;) {
    if (in->at == in->end) {
      ssize_t got = read(in->fd, in->buffer, sizeof in->buffer);
      if (got <= 0) break;
      in->at = 0;
      in->end = (size_t)got;
    }
    char c = in->buffer[in->at++];
    any = true;
    if (c == '\n') break;
    if (length < LINE_ROOM - 1) out[length++] = c;
  }
  out[length] = '\0';
  return any;
}

static size_t split(char *line, char *fields[MOST_FIELDS]) {
  size_t count = 0;
  for (char *at = line; count < MOST_FIELDS;) {
    fields[count++] = at;
    at = strchr(at, ':');
    if (at == NULL) break;
    *at++ = '\0';
  }
  return count;
}

static bool number(const char *text, uint32_t *out) {
  char *end;
  if (text[0] < '0' || text[0] > '9') return false;
  unsigned long value = strtoul(text, &end, 10);
  if (*end != '\0' || value >= UINT32_MAX) return false;
  *out = (uint32_t)value;
  return true;
}

struct entry {
  char name[256];
  uint32_t uid, gid;
  char home[PATH_ROOM];
};

/* The line of /etc/passwd with that name, or with that number when `name` is NULL. */
static bool find_passwd(const char *name, uint32_t uid, struct entry *out) {
  static struct lines in;
  static char line[LINE_ROOM];
  char *fields[MOST_FIELDS];
  bool found = false;
  in = (struct lines){.fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC)};
  if (in.fd < 0) return false;
  while (!found && next_line(&in, line)) {
    if (split(line, fields) < 6 || !number(fields[2], &out->uid) || !number(fields[3], &out->gid)) continue;
    found = name != NULL ? strcmp(fields[0], name) == 0 : out->uid == uid;
  }
  if (found) {
    snprintf(out->name, sizeof out->name, "%s", fields[0]);
    snprintf(out->home, sizeof out->home, "%s", fields[5]);
  }
  close(in.fd);
  return found;
}

static bool is_member(char *members, const char *name) {
  char *rest = NULL;
  for (char *each = strtok_r(members, ",", &rest); each != NULL; each = strtok_r(NULL, ",", &rest))
    if (strcmp(each, name) == 0) return true;
  return false;
}

/* The number of a group by name; and, when `member` is given, all groups that list it. */
static bool find_groups(const char *name, const char *member, struct user *out) {
  static struct lines in;
  static char line[LINE_ROOM];
  char *fields[MOST_FIELDS];
  bool found = false;
  in = (struct lines){.fd = open("/etc/group", O_RDONLY | O_CLOEXEC)};
  if (in.fd < 0) return false;
  while (next_line(&in, line)) {
    uint32_t gid;
    size_t count = split(line, fields);
    if (count < 3 || !number(fields[2], &gid)) continue;
    if (name != NULL && strcmp(fields[0], name) == 0) {
      out->gid = gid;
      found = true;
    }
    if (member != NULL && count > 3 && out->group_count < MOST_GROUPS && is_member(fields[3], member))
      out->groups[out->group_count++] = gid;
  }
  close(in.fd);
  return found;
}

void user_of_uid(uid_t uid, struct user *out) {
  struct entry entry = {.name = ""};
  out->uid = uid;
  if (!find_passwd(NULL, uid, &entry)) return;
  out->gid = entry.gid;
  snprintf(out->home, sizeof out->home, "%s", entry.home);
  find_groups(NULL, entry.name, out);
}

int user_find(const char *text, struct user *out) {
  char name[256];
  uint32_t value;
  const char *colon = strchr(text, ':');
  size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
  if (length >= sizeof name) return ENOENT;
  memcpy(name, text, length);
  name[length] = '\0';
  *out = (struct user){.home = "/"};
  if (name[0] == '\0' || number(name, &value)) {
    user_of_uid(name[0] == '\0' ? 0 : value, out);
  } else {
    struct entry entry = {.name = ""};
    if (!find_passwd(name, 0, &entry)) return ENOENT;
    user_of_uid(entry.uid, out);
  }
  if (colon == NULL) return 0;
  out->group_count = 0; /* an explicit group replaces the user's own */
  if (number(colon + 1, &value)) {
    out->gid = value;
    return 0;
  }
  return find_groups(colon + 1, NULL, out) ? 0 : ENOENT;
}
