import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "@atoll/machinery/clock";
import { openPki, type Pki } from "./folder.ts";

const makers = 4;
const program = `
  const { openPki } = await import(${JSON.stringify(join(import.meta.dirname, "folder.ts"))});
  const { ca, frontProxyCa, server, serviceAccountKey } = await openPki(process.argv[1], ["127.0.0.1"], Date.now());
  process.stdout.write(JSON.stringify({ ca, frontProxyCa, server, serviceAccountKey }));
`;

test("servers that make one folder at the same moment have the same keys, each fitting its certificate", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-pki-"));
  t.after(() => rm(folder, { recursive: true }));
  const run = promisify(execFile);
  const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program, folder];
  const made = await Promise.all(Array.from({ length: makers }, () => run(process.execPath, args)));
  const keys = made.map(({ stdout }) => JSON.parse(stdout) as Pick<Pki, "ca">);
  for (const each of keys) assert.deepEqual(each, keys[0]);
  const again = await Promise.all([
    openPki(folder, ["127.0.0.1"], systemClock.nowMs()),
    openPki(folder, [], systemClock.nowMs()),
  ]);
  assert.deepEqual(again[0].ca, keys[0]?.ca);
  assert.deepEqual(again[0], again[1]);
});
