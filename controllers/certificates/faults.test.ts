import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after } from "node:test";
import { CertificateSigningRequest } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone } from "@atoll/harness/client";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { newPrivateKey, newRequest } from "@atoll/runtime/certificates/newrequest";
import { approvingController } from "./approving/controller.ts";
import { cleanerController } from "./cleaner/controller.ts";
import { signingController } from "./signing/controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const longAgoMs = 2 * 3_600_000;
const get = async (name: string) => await client.get(CertificateSigningRequest, toKey(undefined, name));
const make = async (name: string, signerName: string) => {
  const request = await newRequest(newPrivateKey(), {
    commonName: `system:node:${name}`,
    organizations: ["system:nodes"],
  });
  return await client.create(CertificateSigningRequest, {
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName,
      usages: ["digital signature", "client auth"],
    },
  });
};

/** One request is approved, signed and kept, one is denied since long and goes, one is of a signer elsewhere. */
const requests: Story = {
  get controllers() {
    return [approvingController, signingController(harness.pki.ca), cleanerController];
  },
  async begin(round) {
    await make(round, "kubernetes.io/kube-apiserver-client-kubelet");
    await make(`${round}-other`, "example.com/elsewhere");
    const denied = await make(`${round}-denied`, "example.com/elsewhere");
    const at = formatTime(systemClock.nowMs() - longAgoMs);
    const condition = { type: "Denied", status: "True", reason: "test", message: "" };
    const conditions = [{ ...condition, lastUpdateTime: at, lastTransitionTime: at }];
    await client.replace(CertificateSigningRequest, {
      object: { ...denied, status: { conditions } },
      subresource: "approval",
    });
  },
  async ended(round) {
    await eventually("one is issued, and one gone", async () => {
      return (await isGone(get(`${round}-denied`))) && (await get(round)).status.certificate !== undefined;
    });
  },
  async check(round) {
    const { status } = await get(round);
    assert.deepEqual(
      status.conditions?.map(({ type }) => type),
      ["Approved"],
    );
    const certificate = new X509Certificate(Buffer.from(status.certificate ?? "", "base64"));
    assert.match(certificate.subject, new RegExp(`CN=system:node:${round}$`, "m"));
    assert.deepEqual((await get(`${round}-other`)).status, {});
  },
};

testConvergence("requests for certificates", harness, { name: "csr", story: requests, least: 3 });
