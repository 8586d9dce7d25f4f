/**
 * Deletes requests for certificates that have served their turn.
 * Source: k8s.io/kubernetes/pkg/controller/certificates/cleaner
 */
import { X509Certificate } from "node:crypto";
import { CertificateSigningRequest } from "@atoll/client/builtin";
import { parseDate, parseTime } from "@atoll/machinery/clock";
import { deletionOf } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { isIssued } from "../decisions.ts";

const hourMs = 60 * 60 * 1000;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/**
 * When a request may go, ms since the epoch: an hour after it was denied, has failed or was issued, a day after it came
 * if nobody has decided, or approved but not issued; and never later than its certificate holds.
 */
export function goesAtMs(request: CertificateSigningRequest): number | undefined {
  const { metadata, status } = request;
  const conditions = status.conditions ?? [];
  const deadlines = conditions.flatMap(({ type, lastUpdateTime }) => {
    const atMs = parseTime(lastUpdateTime ?? "");
    if (Number.isNaN(atMs)) return [];
    const over = type === "Denied" || type === "Failed" || (type === "Approved" && isIssued(request));
    return over ? [atMs + decidedMs] : [];
  });
  const waits = conditions.every(({ type }) => type === "Approved") && !isIssued(request);
  if (waits) deadlines.push(parseTime(metadata.creationTimestamp ?? "") + pendingMs);
  const endMs = isIssued(request) ? holdsUntilMs(status.certificate ?? "") : undefined;
  if (endMs !== undefined) deadlines.push(endMs);
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

function holdsUntilMs(base64: string): number | undefined {
  try {
    return parseDate(new X509Certificate(Buffer.from(base64, "base64")).validTo);
  } catch {
    // Other signers may have put there what this cannot read.
    return undefined;
  }
}

/** Deletes requests that are over. */
export const cleanerController: Controller = defineController({
  name: "certificatesigningrequest-cleaner-controller",
  for: CertificateSigningRequest,
  writes: [deletionOf(CertificateSigningRequest, "it is decided, or nobody has decided it")],
  async reconcile(key, { cache, client, clock }) {
    const request = cache.get(CertificateSigningRequest, key);
    const atMs = request === undefined ? undefined : goesAtMs(request);
    if (request === undefined || atMs === undefined) return settled;
    const leftMs = atMs - clock.nowMs();
    // Timers hold at most 24 days; a look a day is enough.
    if (leftMs > 0) return again({ afterMs: Math.min(leftMs, pendingMs) });
    await client.delete(request, { resourceVersion: request.metadata.resourceVersion });
    return settled;
  },
});
