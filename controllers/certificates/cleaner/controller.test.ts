import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateSigningRequest } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import { goesAtMs } from "./controller.ts";

const cameMs = Date.parse("2026-01-01T00:00:00Z");
const decidedMs = cameMs + 600_000;
const hourMs = 3_600_000;

function request(types: readonly string[], certificate?: string): CertificateSigningRequest {
  const at = { status: "True", lastUpdateTime: formatTime(decidedMs), lastTransitionTime: formatTime(decidedMs) };
  const conditions = types.map((type) => ({ type, ...at }));
  return {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "c", creationTimestamp: formatTime(cameMs) },
    spec: { request: "", signerName: "a.b/c" },
    status: { conditions, ...(certificate === undefined ? {} : { certificate }) },
  };
}

test("goesAtMs() keeps what is decided for an hour, and what is not for a day", () => {
  assert.equal(goesAtMs(request([])), cameMs + 24 * hourMs);
  assert.equal(goesAtMs(request(["Approved"])), cameMs + 24 * hourMs);
  assert.equal(goesAtMs(request(["Denied"])), decidedMs + hourMs);
  assert.equal(goesAtMs(request(["Approved", "Failed"])), decidedMs + hourMs);
  assert.equal(goesAtMs(request(["Approved"], "bm8gY2VydGlmaWNhdGU=")), decidedMs + hourMs);
});
