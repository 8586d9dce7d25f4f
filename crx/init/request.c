/* Which request does what. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "init.h"

static char sentence[512];

static handler *const handlers[] = {
    [OP_PREPARE] = handle_prepare,         [OP_IDENTIFY] = handle_identify,   [OP_SET_TIME] = handle_set_time,
    [OP_NETWORK] = handle_network,         [OP_SYSCTLS] = handle_sysctls,     [OP_VOLUME] = handle_volume,
    [OP_DROP_VOLUME] = handle_drop_volume, [OP_GROW_VOLUME] = handle_grow_volume, [OP_OWN] = handle_own,
    [OP_FILES] = handle_files,             [OP_RUN] = handle_run,             [OP_EXEC] = handle_exec,
    [OP_SIGNAL] = handle_signal,           [OP_REMOVE] = handle_remove,       [OP_RESIZE] = handle_resize,
    [OP_SUBSCRIBE] = handle_subscribe,     [OP_CONNECT] = handle_connect,     [OP_USAGE] = handle_usage,
    [OP_SHUTDOWN] = handle_shutdown,       [OP_CLOSE] = handle_close_stream,  [OP_LIMIT] = handle_limit,
};

int fail(int error, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  int used = vsnprintf(sentence, sizeof sentence, format, rest);
  va_end(rest);
  if (used >= 0 && (size_t)used < sizeof sentence)
    snprintf(sentence + used, sizeof sentence - (size_t)used, ": %s", strerror(error));
  return error;
}

void request_answer(uint64_t ticket, int error, const char *text) {
  uint8_t body[600];
  struct writer reply = writer_on(body, sizeof body);
  if (error != 0) put_text(&reply, TAG_FAILURE_TEXT, text != NULL && text[0] != '\0' ? text : strerror(error));
  channel_reply(ticket, error, (struct span){body, reply.used});
}

void request_handle(uint64_t ticket, uint32_t operation, struct span body) {
  static uint8_t answer[MAX_REPLY_BYTES];
  struct writer reply = writer_on(answer, sizeof answer);
  struct request request = {.ticket = ticket, .body = body};
  sentence[0] = '\0';
  int error = operation < COUNT(handlers) && handlers[operation] != NULL ? handlers[operation](&request, &reply) : ENOSYS;
  if (error == LATER) return;
  if (error == 0 && reply.full) error = fail(EMSGSIZE, "answer");
  if (error == 0) channel_reply(ticket, 0, (struct span){answer, reply.used});
  else request_answer(ticket, error, sentence);
}
