/*
 * Leases of disks that several hosts share. Who holds the newest lease of a disk may write it, and nobody else.
 *
 *   FOLDER/lease.N   the Nth holder's: "held HOLDER COUNT", "free HOLDER COUNT" or "dead HOLDER COUNT"
 *   FOLDER/end.N     "end" once the Nth holder is asked to end
 *   FOLDER/disk.raw  the disk
 *
 * A lease is taken by creating the next file, which one host alone can. A holder renews by counting on. It is out for
 * others when they have seen no change for twice the time after which the holder's machine is killed: each by its own
 * clock, from when it looked. Design and proof in docs/rfd/0038-shared-datastores.md.
 */
#ifndef CRX_LEASE_H
#define CRX_LEASE_H

#include <stdbool.h>
#include <stdint.h>

enum { LEASE_WORD = 64, LEASE_PATH = 512, LEASE_WHY = 160 };

/* What a keeper is told when it starts. */
struct lease_wish {
  char serial[LEASE_WORD];
  char holder[LEASE_WORD];
  char folder[LEASE_PATH];
  uint64_t lease_ms;
};

/* What a keeper tells the shim; with TOLD_GIVEN comes the disk's descriptor. */
enum told { TOLD_WAITING, TOLD_HELD, TOLD_GIVEN, TOLD_LOST, TOLD_TROUBLE, TOLD_DONE };
struct lease_news {
  enum told told;
  uint64_t epoch;
  uint64_t since_ms; /* when the renewal began, by CLOCK_BOOTTIME */
  bool clean;        /* the holder before had written everything it ever would */
  char text[LEASE_WHY]; /* who holds it, or what is wrong */
};

/* What the shim tells a keeper. */
enum order { ORDER_GIVE, ORDER_FREE, ORDER_DEAD, ORDER_OVER };
struct lease_order {
  enum order order;
  char over[LEASE_WORD]; /* ORDER_OVER: the holder that has no right to it any more */
};

/* Keeps one lease until the other end of `shim` is gone. A process of its own, because a share may block for ever. */
void lease_keep(const struct lease_wish *wish, int shim) __attribute__((noreturn));

#endif
