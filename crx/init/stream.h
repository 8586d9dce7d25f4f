/* Streams: numbered by the host; each has one input and up to two outputs, with credit in both directions. */
#ifndef CRX_STREAM_H
#define CRX_STREAM_H

#include "init.h"
#include "logring.h"

enum stream_kind { STREAM_FREE, STREAM_CONTAINER, STREAM_EXEC, STREAM_CONNECT };

/* Something read by us: a container's or session's output, or a connection. */
struct output {
  struct watch watch;
  bool ready; /* edge-triggered: true until a read would wait */
  bool ended; /* nothing more will come */
  bool told;  /* the host knows that */
};

struct stream {
  enum stream_kind kind;
  uint16_t number;

  struct watch sink; /* where input goes */
  bool sink_ready;
  bool in_ended; /* the host will send no more */
  bool sink_pty; /* end of input is a character there */
  size_t in_head, in_used;
  uint64_t in_taken; /* bytes handed on or dropped, ever */
  uint64_t in_limit; /* what the host may have sent, ever */

  struct output out[2];
  uint64_t out_sent;  /* bytes sent, ever; of a container: offset in the log */
  uint64_t out_limit; /* credit */
  bool subscribed;    /* container: the host has said where to begin */
  bool drain;         /* what has no data now has ended: its process is gone */

  struct log log; /* container */
  struct task *task;
};

/* A free stream under this number, or NULL and errno: EEXIST, EMFILE, EINVAL. */
struct stream *stream_new(uint32_t number, enum stream_kind kind);
struct stream *stream_find(uint32_t number);
/* Closes everything and frees the entry. */
void stream_free(struct stream *stream);

/* Watches a non-blocking descriptor; owns it from here on. */
int stream_set_sink(struct stream *stream, int fd, bool pty);
int stream_set_output(struct stream *stream, int which, int fd);
/* No sink: input is thrown away. */
void stream_no_sink(struct stream *stream);

/* Frames from the host. */
void stream_take(uint32_t number, struct span data);
void stream_take_end(uint32_t number);
void stream_grant(uint32_t number, uint64_t limit);
void stream_acknowledge(uint32_t number, uint64_t offset);
/* A new host has come: credit is forgotten, sessions of the old one end. */
void stream_new_session(void);

/* Moves input to sinks and output to logs. */
void stream_work(void);
/* Payload of the next data frame, streams taking turns; 0 when there is none. */
size_t stream_next(uint8_t *payload, size_t room, uint16_t *number, uint8_t *sub);
bool stream_pending(void);

void stream_each(void (*visit)(struct stream *stream, void *with), void *with);

#endif
