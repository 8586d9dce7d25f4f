import assert from "node:assert/strict";
import test from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { openMemory } from "@atoll/storage/memory";
import type { ServiceCIDR } from "@atoll/api/builtin/networking.k8s.io/v1.types";
import { builtinKinds } from "@atoll/api/catalog";
import { Catalogue } from "../registry/catalogue.ts";
import { ensureKubernetesService } from "./kubernetes.ts";
import { ensureServiceCidr } from "./servicecidr.ts";

test("each server adds its address to the kubernetes Service's slice and Endpoints, once; a moved port starts anew", async () => {
  const catalogue = new Catalogue(openMemory());
  for (const kind of builtinKinds()) {
    if (["services", "endpoints", "endpointslices"].includes(kind.plural) && kind.storedAs === undefined)
      catalogue.serve([kind], kind);
  }
  const join = (address: string, port: number) =>
    ensureKubernetesService(catalogue, systemClock, { serviceIp: "10.96.0.1", address, port });
  const read = async (group: string, plural: string): Promise<Record<string, unknown>> => {
    const entry = await catalogue.resource(group, plural)?.get("default", "kubernetes");
    return JSON.parse(entry?.value.toString() ?? "{}") as Record<string, unknown>;
  };
  const told = async () => [
    (await read("discovery.k8s.io", "endpointslices"))["endpoints"],
    (await read("", "endpoints"))["subsets"],
  ];
  await join("192.0.2.2", 6443);
  await join("192.0.2.1", 6443);
  await join("192.0.2.1", 6443);
  const ready = (address: string) => ({ addresses: [address], conditions: { ready: true } });
  const ports = (port: number) => [{ name: "https", port, protocol: "TCP" }];
  assert.deepEqual(await told(), [
    [ready("192.0.2.2"), ready("192.0.2.1")],
    [{ addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }], ports: ports(6443) }],
  ]);
  await join("192.0.2.1", 7443);
  assert.deepEqual(await told(), [[ready("192.0.2.1")], [{ addresses: [{ ip: "192.0.2.1" }], ports: ports(7443) }]]);
});

test("the default ServiceCIDR says the range that Services have, and stays as it was first made", async () => {
  const catalogue = new Catalogue(openMemory());
  for (const kind of builtinKinds()) {
    if (kind.plural === "servicecidrs" && kind.storedAs === undefined) catalogue.serve([kind], kind);
  }
  const ensure = (cidr: string) => ensureServiceCidr(catalogue, systemClock, cidr);
  await Promise.all([ensure("10.96.0.0/12"), ensure("10.96.0.0/12")]);
  await ensure("10.0.0.0/24");
  const entry = await catalogue.resource("networking.k8s.io", "servicecidrs")?.get("", "kubernetes");
  const { spec, status } = JSON.parse(entry?.value.toString() ?? "{}") as ServiceCIDR;
  assert.deepEqual([spec.cidrs, status?.conditions?.map(({ type }) => type)], [["10.96.0.0/12"], ["Ready"]]);
});
