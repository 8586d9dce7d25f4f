#include "tlv.h"

#include <string.h>

enum { FIELD_HEADER = 6 };

uint16_t load_u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

uint32_t load_u32(const uint8_t *at) { return (uint32_t)load_u16(at) | (uint32_t)load_u16(at + 2) << 16; }

uint64_t load_u64(const uint8_t *at) { return (uint64_t)load_u32(at) | (uint64_t)load_u32(at + 4) << 32; }

void store_u16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
}

void store_u32(uint8_t *at, uint32_t value) {
  store_u16(at, (uint16_t)value);
  store_u16(at + 2, (uint16_t)(value >> 16));
}

void store_u64(uint8_t *at, uint64_t value) {
  store_u32(at, (uint32_t)value);
  store_u32(at + 4, (uint32_t)(value >> 32));
}

bool tlv_next(struct span *rest, struct field *out) {
  if (rest->length < FIELD_HEADER) return false;
  size_t length = load_u32(rest->at + 2);
  if (length > rest->length - FIELD_HEADER) return false;
  out->tag = load_u16(rest->at);
  out->value = (struct span){rest->at + FIELD_HEADER, length};
  rest->at += FIELD_HEADER + length;
  rest->length -= FIELD_HEADER + length;
  return true;
}

uint32_t span_u32(struct span value) { return value.length == 4 ? load_u32(value.at) : 0; }

uint64_t span_u64(struct span value) { return value.length == 8 ? load_u64(value.at) : 0; }

bool span_flag(struct span value) { return value.length == 1 && value.at[0] != 0; }

bool span_text(struct span value, char *out, size_t room) {
  out[0] = '\0';
  if (value.length >= room || memchr(value.at, 0, value.length) != NULL) return false;
  memcpy(out, value.at, value.length);
  out[value.length] = '\0';
  return true;
}

struct writer writer_on(uint8_t *buffer, size_t room) {
  return (struct writer){.at = buffer, .room = room, .used = 0, .full = false};
}

void put_bytes(struct writer *out, uint16_t tag, const void *value, size_t length) {
  if (out->full || length > out->room - out->used || out->room - out->used - length < FIELD_HEADER) {
    out->full = true;
    return;
  }
  uint8_t *at = out->at + out->used;
  store_u16(at, tag);
  store_u32(at + 2, (uint32_t)length);
  if (length > 0) memcpy(at + FIELD_HEADER, value, length);
  out->used += FIELD_HEADER + length;
}

void put_u32(struct writer *out, uint16_t tag, uint32_t value) {
  uint8_t bytes[4];
  store_u32(bytes, value);
  put_bytes(out, tag, bytes, sizeof bytes);
}

void put_u64(struct writer *out, uint16_t tag, uint64_t value) {
  uint8_t bytes[8];
  store_u64(bytes, value);
  put_bytes(out, tag, bytes, sizeof bytes);
}

void put_flag(struct writer *out, uint16_t tag, bool value) {
  uint8_t byte = value;
  put_bytes(out, tag, &byte, 1);
}

void put_text(struct writer *out, uint16_t tag, const char *value) { put_bytes(out, tag, value, strlen(value)); }

size_t put_open(struct writer *out, uint16_t tag) {
  put_bytes(out, tag, NULL, 0);
  return out->used;
}

void put_close(struct writer *out, size_t mark) {
  if (!out->full) store_u32(out->at + mark - 4, (uint32_t)(out->used - mark));
}
