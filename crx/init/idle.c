/* What would wake an idle machine for nothing: each time costs its host a few microseconds, and a host has many machines. */
#include <string.h>
#include <sys/io.h>

#include "init.h"

enum { PIT_CONTROL = 0x43, CHANNEL_0_ONCE = 0x30 };

/*
 * The PIT ticks as the firmware left it, some 18 times a second, when the kernel has never used it. A channel that is told
 * to count once, and not from where, is silent. Source: Intel 8254 data sheet, mode 0
 */
static void silence_pit(void) {
  char device[32];
  if (read_text("/sys/devices/system/clockevents/clockevent0/current_device", device, sizeof device) < 0) return;
  if (strncmp(device, "lapic", 5) != 0) return;
  if (ioperm(PIT_CONTROL, 1, 1) < 0) return;
  outb(CHANNEL_0_ONCE, PIT_CONTROL);
  ioperm(PIT_CONTROL, 1, 0);
}

void be_quiet_when_idle(void) {
  silence_pit();
  write_text("/proc/sys/vm/stat_interval", "60");            /* statistics that nobody reads every second */
  write_text("/proc/sys/vm/compaction_proactiveness", "0");  /* otherwise looks twice a second */
  write_text("/proc/sys/kernel/watchdog", "0");              /* the host knows better whether a machine hangs */
}
