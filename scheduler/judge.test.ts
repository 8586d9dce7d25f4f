import assert from "node:assert/strict";
import test from "node:test";
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import { judge } from "./judge.ts";
import { best } from "./score.ts";
import type { Beside } from "./testing.ts";
import { cpu, nodeOf, placesOf, podOf, worldOf } from "./testing.ts";
import { volumePlan } from "./volumes.ts";

const zone = "topology.kubernetes.io/zone";
const host = "kubernetes.io/hostname";
const nodes = [
  nodeOf("a1", { [zone]: "a" }),
  nodeOf("a2", { [zone]: "a" }),
  nodeOf("b1", { [zone]: "b" }),
  nodeOf("bare"),
];
const web = { labels: { app: "web" } };
const like = { labelSelector: { matchLabels: { app: "web" } } };
const near = (term: object) => ({
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: zone, ...like, ...term }] },
  },
});
const apart = (term: object) => ({
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: zone, ...like, ...term }] },
  },
});
const spread = (term: object) => ({
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule", ...like, ...term }],
});

/** Where the Pod may go, as names; then what is said of the rest, in the order of the nodes. */
function open(pod: Pod, there: Readonly<Record<string, readonly Pod[]>>, beside: Beside = {}): string {
  return judge(pod, worldOf(placesOf(nodes, there), beside))
    .fitting.map(({ name }) => name)
    .join(" ");
}

function reasons(pod: Pod, there: Readonly<Record<string, readonly Pod[]>>, beside: Beside = {}): readonly string[] {
  const { refused } = judge(pod, worldOf(placesOf(nodes, there), beside));
  return [...new Set([...refused.values()].flat().map(({ reason }) => reason))].toSorted();
}

test("judge() puts a Pod near those it must be near, and the first of a group anywhere that has the topology", () => {
  const pod = podOf("p", near({}), web);
  assert.equal(open(pod, { a1: [podOf("x", {}, web)] }), "a1 a2");
  assert.equal(open(pod, {}), "a1 a2 b1");
  assert.equal(open(podOf("p", near({})), {}), "");
  assert.deepEqual(reasons(pod, { a1: [podOf("x", {}, web)] }), ["node(s) didn't match pod affinity rules"]);
});

test("judge() takes affinity's namespaces by name and by labels, and without either the Pod's own", () => {
  const other = podOf("x", {}, { ...web, namespace: "other" });
  const beside = { namespaces: { other: { team: "blue" } } };
  assert.equal(open(podOf("p", near({})), { a1: [other] }), "");
  assert.equal(open(podOf("p", near({ namespaces: ["other"] })), { a1: [other] }), "a1 a2");
  const byLabel = (team: string) => near({ namespaceSelector: { matchLabels: { team } } });
  assert.equal(open(podOf("p", byLabel("blue")), { a1: [other] }, beside), "a1 a2");
  assert.equal(open(podOf("p", byLabel("red")), { a1: [other] }, beside), "");
  assert.equal(open(podOf("p", near({ namespaceSelector: {} })), { a1: [other] }, beside), "a1 a2");
});

test("judge() binds affinity to the Pod's own values of matchLabelKeys and mismatchLabelKeys", () => {
  const of = (tenant: string) => ({ labels: { app: "web", tenant } });
  const there = { a1: [podOf("x", {}, of("one"))], b1: [podOf("y", {}, of("two"))] };
  assert.equal(open(podOf("p", near({ matchLabelKeys: ["tenant"] }), of("two")), there), "b1");
  assert.equal(open(podOf("p", apart({ mismatchLabelKeys: ["tenant"] }), of("two")), there), "b1 bare");
});

test("judge() keeps Pods apart, whichever of them says so", () => {
  const there = { a1: [podOf("x", {}, web)] };
  assert.equal(open(podOf("p", apart({})), there), "b1 bare");
  assert.deepEqual(reasons(podOf("p", apart({})), there), ["node(s) didn't match pod anti-affinity rules"]);
  const jealous = { a1: [podOf("x", apart({}))] };
  assert.equal(open(podOf("p", {}, web), jealous), "b1 bare");
  assert.equal(open(podOf("p"), jealous), "a1 a2 b1 bare");
  assert.deepEqual(reasons(podOf("p", {}, web), jealous), ["node(s) didn't satisfy existing pods anti-affinity rules"]);
});

test("judge() spreads Pods over zones within the skew; going ones and other namespaces' do not count", () => {
  const pod = podOf("p", spread({}), web);
  const there = { a1: [podOf("x", {}, web)], a2: [podOf("g", {}, { ...web, deletionTimestamp: "now" })] };
  assert.equal(open(pod, there), "b1");
  assert.equal(open(podOf("p", spread({ maxSkew: 2 }), web), there), "a1 a2 b1");
  assert.equal(open(pod, { a1: [podOf("x", {}, { ...web, namespace: "other" })] }), "a1 a2 b1");
  assert.deepEqual(reasons(pod, there), [
    "node(s) didn't match pod topology spread constraints",
    "node(s) didn't match pod topology spread constraints (missing required label)",
  ]);
  // With a third zone wanted, the emptiest is one that is not there.
  assert.equal(open(podOf("p", spread({ minDomains: 3 }), web), { a1: [podOf("x", {}, web)] }), "b1");
  assert.equal(
    open(podOf("p", spread({ minDomains: 3 }), web), { a1: [podOf("x", {}, web)], b1: [podOf("y", {}, web)] }),
    "",
  );
});

test("judge() counts for spreading what the policies for affinity and taints let count", () => {
  const selected = { nodeSelector: { [zone]: "a" } };
  const there = { a1: [podOf("x", {}, web)] };
  assert.equal(open(podOf("p", { ...spread({}), ...selected }, web), there), "a1 a2");
  const ignoring = { ...spread({ nodeAffinityPolicy: "Ignore" }), ...selected };
  assert.equal(open(podOf("p", ignoring, web), there), "");
  const taints = [{ key: "k", effect: "NoSchedule" }];
  const tainted = placesOf([nodeOf("a1", { [zone]: "a" }), nodeOf("b1", { [zone]: "b" }, { taints })], there);
  const names = (pod: Pod) => judge(pod, worldOf(tainted)).fitting.map(({ name }) => name);
  assert.deepEqual(names(podOf("p", spread({}), web)), []);
  assert.deepEqual(names(podOf("p", spread({ nodeTaintsPolicy: "Honor" }), web)), ["a1"]);
});

test("judge() leaves room for those who wait for it and matter as much", () => {
  const waiting = podOf("w", { ...cpu("600m"), priority: 5 });
  const beside = { nominees: { a1: [waiting] } };
  assert.equal(open(podOf("p", { ...cpu("500m"), priority: 5 }), {}, beside), "a2 b1 bare");
  assert.equal(open(podOf("p", { ...cpu("500m"), priority: 6 }), {}, beside), "a1 a2 b1 bare");
  assert.equal(open(podOf("p", { ...cpu("400m"), priority: 5 }), {}, beside), "a1 a2 b1 bare");
});

const late = { metadata: { name: "late" }, provisioner: "disk.atoll.dev", volumeBindingMode: "WaitForFirstConsumer" };
const classes = [late, { metadata: { name: "now" }, provisioner: "x" }] as unknown as StorageClass[];
const using = (claim: string) => podOf("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: claim } }] });
function claim(name: string, spec: object, more: object = {}): PersistentVolumeClaim {
  const usual = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const { annotations = {}, status = {} } = more as { annotations?: object; status?: object };
  return {
    metadata: { name, namespace: "work", annotations },
    spec: { ...usual, ...spec },
    status,
  } as unknown as PersistentVolumeClaim;
}
const onHost = (name: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: host, operator: "In", values: [name] }] }] },
  },
});
function volume(name: string, node: string, spec: object = {}): PersistentVolume {
  const usual = { storageClassName: "late", accessModes: ["ReadWriteOnce"], capacity: { storage: "2Gi" } };
  return {
    metadata: { name },
    spec: { ...usual, ...onHost(node), ...spec },
    status: { phase: "Available" },
  } as unknown as PersistentVolume;
}
const bound = { annotations: { "pv.kubernetes.io/bind-completed": "yes" }, status: { phase: "Bound" } };

test("judge() puts a Pod where its bound volumes are", () => {
  const beside = { claims: [claim("c", { volumeName: "v" }, bound)], volumes: [volume("v", "a2")] };
  assert.equal(open(using("c"), {}, beside), "a2");
  assert.deepEqual(reasons(using("c"), {}, beside), ["node(s) didn't match PersistentVolume's node affinity"]);
  assert.deepEqual(reasons(using("c"), {}, { claims: beside.claims }), [
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
  ]);
});

test("judge() puts a Pod nowhere while its claims are missing, going, lost or unbound", () => {
  const nowhere = (claims: readonly PersistentVolumeClaim[]) =>
    judge(using("c"), worldOf(placesOf(nodes), { claims, classes })).nowhere;
  assert.equal(nowhere([]), 'persistentvolumeclaim "c" not found');
  assert.equal(nowhere([claim("c", { storageClassName: "now" })]), "pod has unbound immediate PersistentVolumeClaims");
  const lost = claim("c", { volumeName: "v" }, { status: { phase: "Lost" } });
  assert.equal(nowhere([lost]), 'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"');
  assert.equal(nowhere([claim("c", { storageClassName: "late" })]), undefined);
});

test("judge() puts a Pod whose disk is on a datastore where the datastore is mounted, also before the disk is made", () => {
  const storageClass = { ...late, parameters: { datastore: "nfs" } } as unknown as StorageClass;
  const beside = { claims: [claim("c", { storageClassName: "late" })], classes: [storageClass] };
  assert.equal(open(using("c"), {}, beside), "");
  const mounted = nodes.map((node) =>
    node.metadata.name === "b1"
      ? {
          ...node,
          metadata: {
            ...node.metadata,
            labels: { ...node.metadata.labels, "datastore.disk.atoll.dev/nfs": "mounted" },
          },
        }
      : node,
  );
  const { fitting } = judge(using("c"), worldOf(placesOf(mounted), beside));
  assert.deepEqual(
    fitting.map(({ name }) => name),
    ["b1"],
  );
});

test("judge() and volumePlan() take the smallest free volume of a place, else have one made", () => {
  const wanted = claim("c", { storageClassName: "late" });
  const volumes = [
    volume("big", "a1", { capacity: { storage: "9Gi" } }),
    volume("small", "a1"),
    volume("tiny", "a1", { capacity: { storage: "1Mi" } }),
  ];
  const world = worldOf(placesOf(nodes), { claims: [wanted], classes, volumes });
  const [a1, a2] = judge(using("c"), world).fitting;
  assert.ok(a1 && a2);
  assert.deepEqual(
    volumePlan(using("c"), a1, world)?.bind.map((each) => each.volume.metadata.name),
    ["small"],
  );
  assert.deepEqual(volumePlan(using("c"), a2, world)?.provision, [wanted]);
  const fixed = claim(
    "c",
    { storageClassName: "late" },
    { annotations: { "volume.kubernetes.io/selected-node": "b1" } },
  );
  assert.equal(open(using("c"), {}, { claims: [fixed], classes, volumes }), "b1");
});

test("judge() lets one Pod alone use a claim of ReadWriteOncePod", () => {
  const alone = claim("c", { volumeName: "v", accessModes: ["ReadWriteOncePod"] }, bound);
  const beside = { claims: [alone], volumes: [volume("v", "a1")] };
  assert.equal(open(using("c"), {}, beside), "a1");
  const other = { ...using("c"), metadata: { name: "q", uid: "q", namespace: "work" } };
  assert.equal(open(using("c"), { a2: [other] }, beside), "");
});

test("best() heeds preferences of nodes, Pods, taints, spreading and images before emptiness", () => {
  const bestOf = (pod: Pod, there: Readonly<Record<string, readonly Pod[]>>, of = nodes) => {
    const world = worldOf(placesOf(of, there));
    return best(pod, world.places, world)?.name;
  };
  assert.equal(
    bestOf(podOf("p", cpu("100m")), {
      a1: [podOf("x", cpu("500m"))],
      a2: [podOf("y", cpu("500m"))],
      bare: [podOf("z", cpu("500m"))],
    }),
    "b1",
  );
  const preference = { matchExpressions: [{ key: zone, operator: "In", values: ["b"] }] };
  const preferred = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] } };
  assert.equal(bestOf(podOf("p", { affinity: preferred }), { b1: [podOf("x", cpu("500m"))] }), "b1");
  const term = { topologyKey: zone, ...like };
  const wishes = [{ weight: 10, podAffinityTerm: term }];
  const liked = { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: wishes } };
  const there = { b1: [podOf("x", cpu("500m"), web)] };
  assert.equal(bestOf(podOf("p", { affinity: liked }), there), "b1");
  // The one that is there may like the one that comes.
  assert.equal(bestOf(podOf("p", {}, web), { b1: [podOf("x", { affinity: liked, ...cpu("500m") })] }), "b1");
  const disliked = { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: wishes } };
  assert.notEqual(bestOf(podOf("p", { affinity: disliked }), { b1: [podOf("x", {}, web)] }, nodes.slice(0, 3)), "b1");
  const soft = { taints: [{ key: "k", effect: "PreferNoSchedule" }] };
  assert.equal(
    bestOf(podOf("p"), { full: [podOf("x", cpu("900m"))] }, [nodeOf("soft", {}, soft), nodeOf("full")]),
    "full",
  );
  const anyway = spread({ whenUnsatisfiable: "ScheduleAnyway" });
  const crowd = { a1: [podOf("x", {}, web)], a2: [podOf("y", {}, web)], b1: [podOf("z", cpu("500m"))] };
  assert.equal(bestOf(podOf("p", anyway, web), crowd), "b1");
  const images = [{ names: ["i:latest"], sizeBytes: 900 * 1024 * 1024 }];
  const [plain] = nodes;
  assert.ok(plain);
  const stocked = { ...nodeOf("stocked"), status: { ...plain.status, images } };
  assert.equal(bestOf(podOf("p"), { stocked: [podOf("x")] }, [nodeOf("empty"), stocked]), "stocked");
});
