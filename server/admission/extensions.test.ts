/** What policies and webhooks leave in the audit log and in the metrics. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";

let harness: Harness;
const lines: string[] = [];
before(async () => {
  const sink = { write: (line: string) => void lines.push(line) };
  harness = await startHarness({ server: { audit: { sink, policy: undefined } } });
});
after(() => harness.close());

const apiVersion = "admissionregistration.k8s.io/v1";
const registration = `/apis/${apiVersion}`;
const configMaps = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] };

async function send(path: string, body: object): Promise<void> {
  const answer = await harness.send("POST", path, { body });
  assert.equal(answer.status, 201, answer.text);
}

/** Annotations of the last event. */
function annotations(): Readonly<Record<string, string>> {
  const event = JSON.parse(lines.at(-1) ?? "{}") as { annotations?: Record<string, string> };
  return event.annotations ?? {};
}

test("a policy's audit annotations and its failures are told of the request, once for each key", async () => {
  await send(`${registration}/validatingadmissionpolicies`, {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "audited.example.org" },
    spec: {
      matchConstraints: { resourceRules: [configMaps] },
      validations: [{ expression: "has(object.data)", message: "no data" }],
      auditAnnotations: [
        { key: "who", valueExpression: "'by ' + request.userInfo.username" },
        { key: "silent", valueExpression: "null" },
      ],
    },
  });
  for (const name of ["one", "two"]) {
    await send(`${registration}/validatingadmissionpolicybindings`, {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: "audited.example.org", validationActions: ["Audit"] },
    });
  }
  await send("/api/v1/namespaces/default/configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  const told = annotations();
  assert.equal(told["audited.example.org/who"], "by kubernetes-admin");
  assert.equal(told["audited.example.org/silent"], undefined);
  assert.deepEqual(JSON.parse(told["validation.policy.admission.k8s.io/validation_failure"] ?? ""), [
    {
      message: "no data",
      policy: "audited.example.org",
      binding: "one",
      expressionIndex: 0,
      validationActions: ["Audit"],
    },
  ]);
});

test("a webhook that could not be asked and was passed over is told", async () => {
  await send(`${registration}/validatingwebhookconfigurations`, {
    apiVersion,
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "away" },
    webhooks: [
      {
        name: "away.example.org",
        clientConfig: { url: "https://127.0.0.1:1/" },
        rules: [configMaps],
        failurePolicy: "Ignore",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  });
  await send("/api/v1/namespaces/default/configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b" } });
  assert.equal(annotations()["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"], "away.example.org");
});

test("failures are counted under upstream's names", async () => {
  const { text } = await harness.send("GET", "/metrics");
  const value = (line: string): string | undefined =>
    text
      .split("\n")
      .find((each) => each.startsWith(`${line} `))
      ?.split(" ")
      .at(-1);
  const check = "apiserver_validating_admission_policy_check_total";
  const labels = 'policy="audited.example.org",policy_binding="one",error_type="no_error",enforcement_action="audit"';
  assert.equal(value(`${check}{${labels}}`), "2");
  const away = 'name="away.example.org",type="validating"';
  assert.equal(value(`apiserver_admission_webhook_fail_open_count{${away}}`), "1");
  const calls = "apiserver_admission_webhook_admission_duration_seconds_count";
  assert.equal(value(`${calls}{${away},operation="CREATE",rejected="false"}`), "1");
});
