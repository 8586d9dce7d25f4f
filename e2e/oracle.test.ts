/**
 * Recorded answers of a kube-apiserver 1.36, replayed against the real server. The ledger oracle.json says how many lines
 * of each recording agree; that number may only rise. Differences that are meant are in docs/conformance.md.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";
import ledger from "./oracle.json" with { type: "json" };

const oracle = join(import.meta.dirname, "..", "..", "shared", "oracle");
const sample = ["discovery", "meta", "apply", "defaults"];
const rest = ["patches", "table", "crd", "validation"];
const files = process.env["ATOLL_NIGHTLY"] === "1" ? [...sample, ...rest] : sample;
const skip = existsSync(join(oracle, "replay.mjs")) ? false : "the recordings are not beside this repository";

let harness: Harness;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "atoll-oracle-"));
  harness = await startHarness();
  const identity = { cert: harness.tls.cert, key: harness.tls.key };
  const config = formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity });
  await writeFile(join(folder, "kubeconfig"), config);
  await symlink(await clientPath("kubectl"), join(folder, "kubectl"));
});

after(async () => {
  await harness?.close();
  await rm(folder, { recursive: true, force: true });
});

for (const name of files) {
  test(`recorded answers: ${name}`, { skip, timeout: 1_200_000 }, async (t) => {
    const recording = join(folder, `${name}.jsonl`);
    await writeFile(recording, withoutOthers(await readFile(join(oracle, `${name}.jsonl`), "utf8")));
    const { same, lines } = await replay(recording);
    const expected = (ledger as Record<string, number>)[name] ?? 0;
    t.diagnostic(`${same} of ${lines} lines agree; the ledger says ${expected}`);
    assert.ok(same >= expected, `${same} lines agree, ${expected} did before`);
  });
}

/** The recorded server put a source of its own into every token volume, which upstream does not. */
function withoutOthers(text: string): string {
  return text.replaceAll(
    /,\{"configMap":\{"name":"openshift-service-ca\.crt","items":\[\{"key":"service-ca\.crt","path":"service-ca\.crt"\}\]\}\}/g,
    "",
  );
}

function replay(recording: string): Promise<{ same: number; lines: number }> {
  const args = [
    join(oracle, "replay.mjs"),
    "--kubeconfig",
    join(folder, "kubeconfig"),
    "--replay",
    recording,
    "--show",
    "1",
  ];
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, maxBuffer: 256 * 1024 * 1024 }, (_, out, err) => {
      const summary = out.trimEnd().split("\n").at(-1) ?? "";
      if (summary.startsWith("{")) resolve(JSON.parse(summary) as { same: number; lines: number });
      else reject(new Error(`the replay gave no summary: ${err}`));
    });
  });
}
