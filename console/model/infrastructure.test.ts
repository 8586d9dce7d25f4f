import assert from "node:assert/strict";
import { test } from "node:test";
import { announcedCondition } from "@atoll/api/supervisor/annotations";
import type { Node, PersistentVolume, Pod, Service, StorageClass } from "@atoll/client/builtin";
import { entrancesOf, hostsOf, imagesOf, storesOf } from "./infrastructure.ts";

const digest = `sha256:${"a".repeat(64)}`;
const node = (name: string, images: readonly { names: string[]; sizeBytes: number }[] = []): Node =>
  ({
    metadata: { name, uid: name },
    spec: { podCIDRs: ["10.1.0.0/24"] },
    status: {
      allocatable: { cpu: "2", memory: "4Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
      images,
    },
  }) as unknown as Node;
const pod = (name: string, rest: object = {}): Pod =>
  ({
    metadata: { name, namespace: "shop" },
    spec: {
      nodeName: "one",
      containers: [{ name: "c", image: "shop/web:1", resources: { requests: { cpu: "250m", memory: "1Gi" } } }],
      volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }],
    },
    ...rest,
  }) as unknown as Pod;
const over = pod("over", { status: { phase: "Succeeded" } });

test("hostsOf() adds up what is promised to pods that are not over, and tells use only where it was measured", () => {
  const load = { metadata: { name: "one" }, timestamp: "", usage: { cpu: "500m", memory: "2Gi" } };
  const hosts = hostsOf([node("two"), node("one")], [pod("a"), pod("b"), over], new Map([["one", load]]));
  assert.deepEqual(
    hosts.map(({ name, guests, cpu, memory }) => [name, guests, cpu, memory.used]),
    [
      ["one", 2, { of: 2, promised: 0.5, used: 0.5 }, 2 * 2 ** 30],
      ["two", 0, { of: 2, promised: 0, used: undefined }, undefined],
    ],
  );
});

test("hostsOf() says that a host takes no more pods, and that it is not heard of", () => {
  const cordoned = { ...node("one"), spec: { unschedulable: true }, status: { conditions: [] } } as unknown as Node;
  assert.equal(hostsOf([cordoned], [], new Map())[0]?.state, "NotReady,SchedulingDisabled");
});

test("imagesOf() takes what has one digest for one image, wherever it lies, and names who runs it", () => {
  const first = node("one", [{ names: [`shop/web@${digest}`, "shop/web:1"], sizeBytes: 1000 }]);
  const second = node("two", [
    { names: [`shop/web@${digest}`], sizeBytes: 1000 },
    { names: ["old:1"], sizeBytes: 5 },
  ]);
  const images = imagesOf([second, first], [pod("a"), over]);
  assert.deepEqual(
    images.map(({ name, hosts, users }) => [name, hosts, users.map((user) => user.name)]),
    [
      ["shop/web:1", ["one", "two"], ["a"]],
      ["old:1", ["two"], []],
    ],
  );
});

test("storesOf() lists the disks of each policy with their claims and users; last those of none", () => {
  const disk = (name: string, of: string) =>
    ({
      metadata: { name, uid: name },
      spec: { storageClassName: of, capacity: { storage: "1Gi" }, claimRef: { namespace: "shop", name: "data" } },
      status: { phase: "Bound" },
    }) as unknown as PersistentVolume;
  const policy = (name: string, rest: object) => ({ metadata: { name }, provisioner: "disk.atoll.dev", ...rest });
  const classes = [
    policy("shared", { parameters: { datastore: "nfs" }, reclaimPolicy: "Retain" }),
    policy("disk", {}),
  ] as unknown as readonly StorageClass[];
  const stores = storesOf(classes, [disk("a", "disk"), disk("b", "gone")], [pod("user"), over]);
  assert.deepEqual(
    stores.map(({ name, datastore, keeps, bytes, disks }) => [name, datastore, keeps, bytes, disks.length]),
    [
      ["disk", "", "Delete", 2 ** 30, 1],
      ["shared", "nfs", "Retain", 0, 0],
      ["gone", "", "", 2 ** 30, 1],
    ],
  );
  assert.deepEqual(stores[0]?.disks[0]?.users, [{ namespace: "shop", name: "user" }]);
});

test("entrancesOf() says where Services are reached from outside, who answers, and why nobody does", () => {
  const service = (name: string, type: string, condition: object) =>
    ({
      metadata: { name, namespace: "shop", uid: name },
      spec: { type, ports: [{ port: 80, nodePort: 30080 }] },
      status: {
        loadBalancer: { ingress: [{ ip: "192.0.2.9" }] },
        conditions: [{ type: announcedCondition, ...condition }],
      },
    }) as unknown as Service;
  const found = entrancesOf([
    service("web", "LoadBalancer", { status: "True", message: "one" }),
    service("api", "NodePort", {}),
    service("db", "ClusterIP", {}),
    service("late", "LoadBalancer", { status: "False", message: "the pool is used up" }),
  ]);
  assert.deepEqual(
    found.map(({ name, places, host, problem }) => [name, places, host, problem]),
    [
      ["api", ["every host:30080/TCP"], "", ""],
      ["late", ["192.0.2.9:80/TCP"], "", "the pool is used up"],
      ["web", ["192.0.2.9:80/TCP"], "one", ""],
    ],
  );
});
