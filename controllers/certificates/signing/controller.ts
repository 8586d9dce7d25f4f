/**
 * Signs approved requests of Kubernetes' own signers with the cluster's authority.
 * Source: k8s.io/kubernetes/pkg/controller/certificates/signer
 */
import { CertificateSigningRequest } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import { partOf } from "@atoll/runtime/claims";
import type { Controller, Reconcile, Result } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { hasCondition, isIssued } from "../decisions.ts";
import { issueCertificate, type SigningAuthority } from "../issue.ts";
import { readRequest } from "@atoll/runtime/certificates/request";
import { requestProblem, signers } from "../rules.ts";

const dayMs = 24 * 60 * 60 * 1000;
/** A certificate's time where the request names none, and the longest it may name. */
const longestMs = 365 * dayMs;
const shortestMs = 10 * 60 * 1000;

/** Issues certificates. A request that its signer does not take is marked Failed. */
export function signingController(authority: SigningAuthority): Controller {
  return defineController({
    name: "certificatesigningrequest-signing-controller",
    for: CertificateSigningRequest,
    writes: [partOf(CertificateSigningRequest, "certificates", ({ subresource }) => subresource === "status")],
    async reconcile(key, tools) {
      const wanted = tools.cache.get(CertificateSigningRequest, key);
      if (wanted === undefined || isIssued(wanted)) return settled;
      if (!hasCondition(wanted, "Approved") || hasCondition(wanted, "Denied") || hasCondition(wanted, "Failed")) {
        return settled;
      }
      return signers.has(wanted.spec.signerName) ? await sign(authority, wanted, tools) : settled;
    },
  });
}

async function sign(
  authority: SigningAuthority,
  wanted: CertificateSigningRequest,
  { client, clock }: Reconcile,
): Promise<Result> {
  const { request: text, usages = [], signerName, expirationSeconds } = wanted.spec;
  const request = await readRequest(text ?? "");
  const problem = requestProblem(signerName, request, usages) ?? (await keyProblem(request));
  if (problem !== undefined) {
    await client.setStatus(wanted, failed(wanted, problem, formatTime(clock.nowMs())));
    return settled;
  }
  const terms = { usages, durationMs: durationMs(expirationSeconds), nowMs: clock.nowMs() };
  const pem = await issueCertificate(authority, request, terms);
  await client.setStatus(wanted, { ...wanted.status, certificate: Buffer.from(pem).toString("base64") });
  return settled;
}

/** A bad signature fails for good here; upstream tries such a request again and again. */
async function keyProblem(request: { verify(): Promise<boolean> }): Promise<string | undefined> {
  const holds = await request.verify().catch(() => false);
  return holds ? undefined : "unable to verify certificate request signature";
}

/** A certificate's time, ms: what is asked for, within bounds. */
export function durationMs(expirationSeconds: number | undefined): number {
  if (expirationSeconds === undefined) return longestMs;
  return Math.min(Math.max(expirationSeconds * 1000, shortestMs), longestMs);
}

function failed(
  { status }: CertificateSigningRequest,
  message: string,
  now: string,
): CertificateSigningRequest["status"] {
  const condition = {
    type: "Failed",
    status: "True",
    reason: "SignerValidationFailure",
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  return { ...status, conditions: [...(status.conditions ?? []), condition] };
}
