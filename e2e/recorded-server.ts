/**
 * A program for tests: the API server on a SQLite store, to be run under a recorder of system calls.
 *
 *   node recorded-server.ts FILE FULL|OFF
 *
 * Says `ready {"port":…,"tls":…}`, and ends on SIGTERM.
 */
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { openSqlite } from "@atoll/storage/sqlite";

const [file = "", synchronous = "FULL"] = process.argv.slice(2);
const store = await openSqlite({ file, clock: systemClock, synchronous: synchronous === "OFF" ? "OFF" : "FULL" });
const { server, tls, close } = await startHarness({ store });
process.once("SIGTERM", () => void close());
process.stdout.write(`ready ${JSON.stringify({ port: server.port, tls })}\n`);
