/** `node tools/cis.ts`: the checks, one after the other. */
import { randomBytes } from "node:crypto";
import { checks } from "./checks.ts";
import { openTarget } from "./target.ts";

/** What came of one check. */
export interface Finding {
  readonly ids: readonly string[];
  readonly title: string;
  /** undefined: passed */
  readonly wrong: string | undefined;
}

/**
 * Examines the server of a data directory, in a namespace made for it.
 * @throws {Error} it cannot be asked
 */
export async function examine(data: string): Promise<readonly Finding[]> {
  const namespace = `cis-${randomBytes(4).toString("hex")}`;
  const target = await openTarget(data, namespace);
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const made = await target.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace, labels } } });
  if (made.status !== 201) throw new Error(`no namespace to work in: ${made.text}`);
  const findings: Finding[] = [];
  try {
    for (const { ids, title, run } of checks) findings.push({ ids, title, wrong: await run(target) });
  } finally {
    await target.ask("DELETE", `/api/v1/namespaces/${namespace}`);
  }
  return findings;
}
