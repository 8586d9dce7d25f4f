/** Where everything is kept unless told otherwise: /var/lib/atoll for root, a folder of one's own for others. */
import { homedir } from "node:os";
import { join } from "node:path";

export function defaultData(): string {
  return process.getuid?.() === 0 ? "/var/lib/atoll" : join(homedir(), ".local", "share", "atoll");
}
