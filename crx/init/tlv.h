/* Fields of messages: tag u16, length u32, bytes. See docs/crx-protocol.md, "Messages". */
#ifndef CRX_TLV_H
#define CRX_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to someone else. */
struct span {
  const uint8_t *at;
  size_t length;
};

struct field {
  uint16_t tag;
  struct span value;
};

/* Takes the next field off the front of `rest`; false at the end, or when the rest is damaged. */
bool tlv_next(struct span *rest, struct field *out);

/* Values. A value of the wrong size reads as 0. */
uint32_t span_u32(struct span value);
uint64_t span_u64(struct span value);
bool span_flag(struct span value);

/* Copies text and ends it with NUL; false (and an empty text) when it does not fit or contains NUL. */
bool span_text(struct span value, char *out, size_t room);

/* A message being written into a fixed buffer. Once something did not fit, `full` is set and the rest is dropped. */
struct writer {
  uint8_t *at;
  size_t room;
  size_t used;
  bool full;
};

struct writer writer_on(uint8_t *buffer, size_t room);
void put_u32(struct writer *out, uint16_t tag, uint32_t value);
void put_u64(struct writer *out, uint16_t tag, uint64_t value);
void put_flag(struct writer *out, uint16_t tag, bool value);
void put_text(struct writer *out, uint16_t tag, const char *value);
void put_bytes(struct writer *out, uint16_t tag, const void *value, size_t length);

/* A nested message: everything put between open and close is its value. */
size_t put_open(struct writer *out, uint16_t tag);
void put_close(struct writer *out, size_t mark);

/* Little-endian integers at any address. */
uint16_t load_u16(const uint8_t *at);
uint32_t load_u32(const uint8_t *at);
uint64_t load_u64(const uint8_t *at);
void store_u16(uint8_t *at, uint16_t value);
void store_u32(uint8_t *at, uint32_t value);
void store_u64(uint8_t *at, uint64_t value);

#endif
