/**
 * The life of one object of each built-in kind, as upstream's conformance specs of "API operations" tell it: listed in
 * discovery, created, read, listed by label in its namespace and in all, watched, patched, updated, its status written
 * and read, and deleted with its collection; the watch that began before the patch tells of each step in order.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Answer, type Harness, startHarness } from "@atoll/harness/server";

const template = {
  metadata: { labels: { app: "life" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const selector = { matchLabels: { app: "life" } };
const webhook = {
  name: "w.life.example",
  clientConfig: { url: "https://127.0.0.1:1/x" },
  rules: [{ apiGroups: ["none.example"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["none"] }],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};
const policyMatch = { resourceRules: webhook.rules };
const cidr = "192.0.2.0/24";

interface Kind {
  readonly base: string;
  readonly resource: string;
  /** In a namespace. */
  readonly namespaced?: boolean;
  readonly name?: string;
  readonly body: object;
  /** What is written into the status; a kind without one has no status. */
  readonly status?: object;
}

const conditions = [
  { type: "Told", status: "True", reason: "E2E", message: "set", lastTransitionTime: "2026-01-01T00:00:00Z" },
];
const admission = "/apis/admissionregistration.k8s.io/v1";
const flow = "/apis/flowcontrol.apiserver.k8s.io/v1";
const net = "/apis/networking.k8s.io/v1";
const apps = "/apis/apps/v1";
const storage = "/apis/storage.k8s.io/v1";
const kinds: readonly Kind[] = [
  { base: "/api/v1", resource: "configmaps", namespaced: true, body: { data: { a: "b" } } },
  { base: "/api/v1", resource: "secrets", namespaced: true, body: { stringData: { a: "b" } } },
  { base: "/api/v1", resource: "serviceaccounts", namespaced: true, body: {} },
  { base: "/api/v1", resource: "endpoints", namespaced: true, body: {} },
  { base: "/api/v1", resource: "limitranges", namespaced: true, body: { spec: { limits: [{ type: "Pod" }] } } },
  { base: "/api/v1", resource: "podtemplates", namespaced: true, body: { template } },
  {
    base: "/api/v1",
    resource: "events",
    namespaced: true,
    body: { involvedObject: { kind: "Pod", name: "p", namespace: "life" }, reason: "r", message: "m", type: "Normal" },
  },
  { base: "/api/v1", resource: "pods", namespaced: true, body: { spec: template.spec }, status: { message: "told" } },
  {
    base: "/api/v1",
    resource: "replicationcontrollers",
    namespaced: true,
    body: { spec: { replicas: 0, selector: selector.matchLabels, template } },
    status: { conditions },
  },
  {
    base: "/api/v1",
    resource: "resourcequotas",
    namespaced: true,
    body: { spec: { hard: { "count/leases.coordination.k8s.io": "9" } } },
    status: { hard: { pods: "7" } },
  },
  {
    base: "/api/v1",
    resource: "services",
    namespaced: true,
    body: { spec: { ports: [{ port: 80 }] } },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } },
  },
  {
    base: "/api/v1",
    resource: "persistentvolumeclaims",
    namespaced: true,
    body: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
    status: { conditions: [{ type: "Told", status: "True" }] },
  },
  {
    base: "/api/v1",
    resource: "persistentvolumes",
    body: {
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } },
    },
    status: { phase: "Failed", message: "told" },
  },
  { base: "/api/v1", resource: "nodes", body: {}, status: { conditions: [{ type: "Told", status: "True" }] } },
  {
    base: apps,
    resource: "deployments",
    namespaced: true,
    body: { spec: { selector, template } },
    status: { conditions: [{ type: "Told", status: "True" }] },
  },
  {
    base: apps,
    resource: "replicasets",
    namespaced: true,
    body: { spec: { selector, template } },
    status: { conditions: [{ type: "Told", status: "True" }], replicas: 0 },
  },
  {
    base: apps,
    resource: "statefulsets",
    namespaced: true,
    body: { spec: { serviceName: "s", selector, template } },
    status: { conditions: [{ type: "Told", status: "True" }], replicas: 0 },
  },
  {
    base: apps,
    resource: "daemonsets",
    namespaced: true,
    body: { spec: { selector, template } },
    status: { conditions: [{ type: "Told", status: "True" }] },
  },
  { base: apps, resource: "controllerrevisions", namespaced: true, body: { data: { a: 1 }, revision: 1 } },
  {
    base: "/apis/batch/v1",
    resource: "jobs",
    namespaced: true,
    body: { spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: "Never" } } } },
    status: { conditions: [{ type: "Told", status: "True" }] },
  },
  {
    base: "/apis/batch/v1",
    resource: "cronjobs",
    namespaced: true,
    body: {
      spec: {
        schedule: "0 0 1 1 *",
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } } },
      },
    },
    status: { lastScheduleTime: "2026-01-01T00:00:00Z" },
  },
  {
    base: "/apis/autoscaling/v2",
    resource: "horizontalpodautoscalers",
    namespaced: true,
    body: { spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" } } },
    status: { desiredReplicas: 2, currentReplicas: 1 },
  },
  {
    base: "/apis/policy/v1",
    resource: "poddisruptionbudgets",
    namespaced: true,
    body: { spec: { minAvailable: 1, selector } },
    status: { conditions },
  },
  {
    base: net,
    resource: "ingresses",
    namespaced: true,
    body: { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } },
  },
  { base: net, resource: "ingressclasses", body: { spec: { controller: "example.com/c" } } },
  { base: net, resource: "networkpolicies", namespaced: true, body: { spec: { podSelector: {} } } },
  { base: net, resource: "servicecidrs", body: { spec: { cidrs: [cidr] } }, status: { conditions } },
  {
    base: net,
    resource: "ipaddresses",
    name: "192.0.2.9",
    body: { spec: { parentRef: { resource: "services", namespace: "life", name: "s" } } },
  },
  {
    base: "/apis/coordination.k8s.io/v1",
    resource: "leases",
    namespaced: true,
    body: { spec: { holderIdentity: "h" } },
  },
  {
    base: "/apis/discovery.k8s.io/v1",
    resource: "endpointslices",
    namespaced: true,
    body: { addressType: "IPv4", endpoints: [{ addresses: ["192.0.2.1"] }], ports: [{ name: "p", port: 1 }] },
  },
  {
    base: "/apis/events.k8s.io/v1",
    resource: "events",
    namespaced: true,
    body: {
      eventTime: "2026-01-01T00:00:00.000000Z",
      reportingController: "example.com/c",
      reportingInstance: "i",
      action: "Do",
      reason: "r",
      type: "Normal",
      regarding: { kind: "Pod", name: "p", namespace: "life" },
    },
  },
  {
    base: "/apis/rbac.authorization.k8s.io/v1",
    resource: "roles",
    namespaced: true,
    body: { rules: [] },
  },
  { base: "/apis/rbac.authorization.k8s.io/v1", resource: "clusterroles", body: { rules: [] } },
  {
    base: "/apis/rbac.authorization.k8s.io/v1",
    resource: "rolebindings",
    namespaced: true,
    body: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "x" } },
  },
  {
    base: "/apis/rbac.authorization.k8s.io/v1",
    resource: "clusterrolebindings",
    body: { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "x" } },
  },
  { base: storage, resource: "storageclasses", body: { provisioner: "example.com/p" } },
  { base: storage, resource: "csidrivers", body: { spec: {} } },
  { base: storage, resource: "csinodes", body: { spec: { drivers: [] } } },
  { base: storage, resource: "csistoragecapacities", namespaced: true, body: { storageClassName: "s" } },
  {
    base: storage,
    resource: "volumeattachments",
    body: { spec: { attacher: "a.example.com", nodeName: "n", source: { persistentVolumeName: "v" } } },
    status: { attached: true },
  },
  { base: storage, resource: "volumeattributesclasses", body: { driverName: "example.com/d", parameters: { a: "b" } } },
  { base: "/apis/scheduling.k8s.io/v1", resource: "priorityclasses", body: { value: 7 } },
  { base: "/apis/node.k8s.io/v1", resource: "runtimeclasses", body: { handler: "h" } },
  { base: admission, resource: "validatingwebhookconfigurations", body: { webhooks: [webhook] } },
  { base: admission, resource: "mutatingwebhookconfigurations", body: { webhooks: [webhook] } },
  {
    base: admission,
    resource: "validatingadmissionpolicies",
    body: { spec: { matchConstraints: policyMatch, validations: [{ expression: "true" }] } },
    status: { conditions, observedGeneration: 1 },
  },
  {
    base: admission,
    resource: "validatingadmissionpolicybindings",
    body: { spec: { policyName: "none", validationActions: ["Deny"] } },
  },
  {
    base: admission,
    resource: "mutatingadmissionpolicies",
    body: {
      spec: {
        matchConstraints: policyMatch,
        reinvocationPolicy: "Never",
        mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }],
      },
    },
  },
  { base: admission, resource: "mutatingadmissionpolicybindings", body: { spec: { policyName: "none" } } },
  {
    base: flow,
    resource: "flowschemas",
    body: { spec: { matchingPrecedence: 9999, priorityLevelConfiguration: { name: "global-default" } } },
    status: { conditions },
  },
  {
    base: flow,
    resource: "prioritylevelconfigurations",
    body: { spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } } },
    status: { conditions },
  },
  {
    base: "/apis/apiregistration.k8s.io/v1",
    resource: "apiservices",
    name: "v1.life.example",
    body: {
      spec: {
        group: "life.example",
        version: "v1",
        groupPriorityMinimum: 1,
        versionPriority: 1,
        insecureSkipTLSVerify: true,
        service: { namespace: "life", name: "none" },
      },
    },
    status: { conditions },
  },
];

const merge = "application/merge-patch+json";
const label = "labelSelector=life%3Dtrue";
let harness: Harness;

before(async () => {
  harness = await startHarness();
  await sent(201, "POST", "/api/v1/namespaces", { metadata: { name: "life" } });
  await sent(201, "POST", "/api/v1/namespaces/life/serviceaccounts", { metadata: { name: "default" } });
});

after(() => harness.close());

interface Meta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Body {
  readonly metadata: Meta;
  readonly items?: readonly Body[];
  readonly resources?: readonly { readonly name: string; readonly verbs: readonly string[] }[];
  readonly status?: Readonly<Record<string, unknown>>;
}

async function sent(code: number, method: string, path: string, body?: object, contentType?: string): Promise<Body> {
  const options = { ...(body === undefined ? {} : { body }), ...(contentType === undefined ? {} : { contentType }) };
  const answer: Answer = await harness.send(method, path, options);
  assert.equal(answer.status, code, `${method} ${path}: ${answer.text.slice(0, 600)}`);
  return answer.json as unknown as Body;
}

/** What a watch from a revision on tells of the labelled objects until it has told that one is gone. */
async function told(collection: string, revision: string): Promise<string[]> {
  const path = `${collection}?watch=true&${label}&resourceVersion=${revision}&timeoutSeconds=1`;
  const { status, text } = await harness.send("GET", path);
  assert.equal(status, 200, text);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { type: string }).type);
}

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** A status is written by a patch, read back, and taken whole again. */
async function writeStatus(path: string, status: object): Promise<void> {
  const patched = await sent(200, "PATCH", `${path}/status`, { status }, merge);
  const read = await sent(200, "GET", `${path}/status`);
  for (const [field, value] of Object.entries(status)) {
    const tells = (body: Body) => JSON.stringify(body.status?.[field]).includes(firstText(value));
    assert.ok(tells(patched) && tells(read), `${field}: ${JSON.stringify(read.status)}`);
  }
  await sent(200, "PUT", `${path}/status`, read);
}

/** The first text, number or word in a value, as it stands in JSON. */
function firstText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return firstText(Object.values(value)[0]);
}

/** Takes off the finalizers that protect what is in use: no controllers run here to do it. */
async function released(path: string): Promise<void> {
  const { status } = await harness.send("GET", path);
  if (status === 200) await sent(200, "PATCH", path, { metadata: { finalizers: null } }, merge);
}

// Each ends with a watch that says nothing for a second.
describe("built-in kinds", { concurrency: 8 }, () => {
  for (const kind of kinds) {
    test(`the life of one of ${kind.base.slice(1)} ${kind.resource} is as the conformance specs tell it`, async () => {
      const collection = `${kind.base}${kind.namespaced === true ? "/namespaces/life" : ""}/${kind.resource}`;
      const { resources = [] } = await sent(200, "GET", kind.base);
      assert.deepEqual(resources.find(({ name }) => name === kind.resource)?.verbs.toSorted(), verbs);
      const name = kind.name ?? "one";
      const path = `${collection}/${name}`;
      const made = await sent(201, "POST", collection, { ...kind.body, metadata: { name, labels: { life: "true" } } });
      assert.equal((await sent(200, "GET", path)).metadata.uid, made.metadata.uid);
      for (const where of [collection, `${kind.base}/${kind.resource}`]) {
        const { items = [] } = await sent(200, "GET", `${where}?${label}`);
        assert.deepEqual(
          items.map(({ metadata }) => metadata.uid),
          [made.metadata.uid],
        );
      }
      const patch = { metadata: { labels: { patched: "yes" } } };
      const patched = await sent(200, "PATCH", path, patch, merge);
      assert.equal(patched.metadata.labels?.["patched"], "yes");
      const labels = { ...patched.metadata.labels, updated: "yes" };
      const updated = await sent(200, "PUT", path, { ...patched, metadata: { ...patched.metadata, labels } });
      assert.equal(updated.metadata.labels?.["updated"], "yes");
      await sent(409, "PUT", path, {
        ...patched,
        metadata: { ...patched.metadata, labels: { ...labels, late: "yes" } },
      });
      if (kind.status !== undefined) await writeStatus(path, kind.status);
      await sent(200, "DELETE", `${collection}?${label}&gracePeriodSeconds=0`);
      await released(path);
      const events = await told(collection, made.metadata.resourceVersion);
      assert.deepEqual([events.slice(0, 2), events.at(-1)], [["MODIFIED", "MODIFIED"], "DELETED"]);
      await sent(404, "GET", path);
    });
  }
});
