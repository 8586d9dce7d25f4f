/** Real packets between this host and two others: one is a peer, the other pretends to be. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { HostNetwork, type NetworkOptions, removeNetwork } from "../host.ts";
import { hostNames, macOf } from "../name.ts";
import { guardOf } from "../policies/guard.ts";
import type { Policy } from "../policies/world.ts";
import { run } from "../run.ts";
import { callFromHost, inOwnNetwork, insideOwnNetwork, Neighbour, obstacle, TestPod } from "../testing.ts";
import { type Elsewhere, soundPeers } from "./elsewhere.ts";

test("soundPeers() leaves out ranges that are taken, outside the cluster's or none, and the host itself", () => {
  const peer = (address: string, range: string) => ({ address, range, servesApi: false });
  const good = [peer("192.0.2.9", "10.244.1.0/24"), peer("192.0.2.10", "10.244.2.0/24")];
  const bad = [
    peer("192.0.2.11", "10.244.0.0/24"), // this host's
    peer("192.0.2.12", "10.244.1.0/25"), // the first's
    peer("192.0.2.13", "10.96.0.0/24"),
    peer("192.0.2.14", "0.0.0.0/0"),
    peer("192.0.2.15", "words"),
    peer("192.0.2.1", "10.244.7.0/24"), // at this host's address
  ];
  const own = { own: "10.244.0.0/24", cluster: "10.244.0.0/16", address: "192.0.2.1" };
  assert.deepEqual(soundPeers([...good, ...bad], own), good);
});

if (insideOwnNetwork()) realPackets();
else
  test("the overlay, in a namespace of its own", { skip: (await obstacle()) ?? false }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

const network = 0x0a1b2c;
const [own, others] = ["192.0.2.1", { peer: "192.0.2.9", stranger: "192.0.2.66" }];
const theirs = { red: "10.244.1.5", blue: "10.244.1.6" };
const refused = /EHOSTUNREACH|ECONNREFUSED|ENETUNREACH/;

function realPackets(): void {
  let data: string;
  let host: HostNetwork;
  let options: NetworkOptions;
  let pod: TestPod;
  let peer: Neighbour;
  let stranger: Neighbour;
  let policies: readonly Policy[] = [];

  const elsewhere = (more: Partial<Elsewhere> = {}): Elsewhere => ({
    network,
    peers: [{ address: others.peer, range: "10.244.1.0/24", servesApi: false }],
    sources: new Map([
      [theirs.red, "red"],
      [theirs.blue, "blue"],
    ]),
    ...more,
  });
  const counted = async (name: string) => {
    const text = await run("nft", ["list", "counter", "ip", hostNames(data).table, name]);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  };

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "atoll-overlay-"));
    await underlay();
    options = {
      data,
      address: own,
      podRange: "10.244.0.0/24",
      clusterRange: "10.244.0.0/16",
      serviceRange: "10.96.0.0/12",
      hostServices: [],
      dns: [],
      policy: {
        guardsOf: ({ uid, namespace }, address) => {
          const self = { uid, namespace, name: uid, labels: {}, ports: [], address };
          const pods = [{ uid: "b", namespace: "blue", name: "b", labels: {}, ports: [], address: theirs.blue }];
          const namespaces = new Map([["blue", { labels: { name: "blue" }, flat: false }]]);
          const facts = { pods, namespaces, policies };
          return { ingress: guardOf(self, "ingress", facts), egress: guardOf(self, "egress", facts) };
        },
        flat: () => new Set(),
      },
    };
    host = await HostNetwork.open(options);
    pod = await TestPod.at("p1", await host.attach({ uid: "p1", namespace: "red" }));
    await pod.serve(8080);
    const wrongly = { range: "10.244.1.0/24", addresses: Object.values(theirs) };
    peer = await otherHost("peer", { address: others.peer, ...wrongly });
    stranger = await otherHost("stranger", { address: others.stranger, ...wrongly });
    await peer.serve(8080);
  });

  after(async () => {
    for (const each of [pod, peer, stranger]) await each.stop();
    await rm(data, { recursive: true, force: true });
  });

  const call = async (from: string, address = pod.attachment.address, port = 8080) =>
    await peer.call(address, port, { from });
  const web = (exportedTo: readonly string[] = []) => ({
    namespace: "red",
    name: "web",
    addresses: ["10.96.5.5"],
    ports: [{ protocol: "tcp" as const, port: 80, endpoints: [{ address: pod.attachment.address, port: 8080 }] }],
    exportedTo,
  });

  test("before a host is known, its packets are heard by nobody", async () => {
    assert.equal(await call(theirs.red), "timeout");
  });

  test("a pod of another host does not reach one here, and the refusal is counted here", async () => {
    await host.setElsewhere(elsewhere());
    const before = await counted("refused_by_pods");
    assert.match(await call(theirs.red), refused);
    assert.ok((await counted("refused_by_pods")) > before);
  });

  test("a Service opens the way for pods of its namespace on other hosts, and closing it closes it", async () => {
    await host.setService(web());
    assert.equal(await call(theirs.red), `p1 ${theirs.red}`);
    assert.match(await call(theirs.blue), refused);
    await host.setService(web(["blue"]));
    assert.equal(await call(theirs.blue), `p1 ${theirs.blue}`);
    await host.setService(web());
    assert.match(await call(theirs.blue), refused);
    await host.removeService({ namespace: "red", name: "web" });
    assert.match(await call(theirs.red), refused);
  });

  test("a NetworkPolicy opens a way for pods of other hosts that it names, and for no others", async () => {
    const ingress = [{ from: [{ namespaceSelector: { matchLabels: { name: "blue" } } }] }];
    policies = [{ namespace: "red", name: "from-blue", spec: { podSelector: {}, ingress } }];
    await host.refreshPolicy();
    assert.equal(await call(theirs.blue), `p1 ${theirs.blue}`);
    assert.match(await call(theirs.red), refused);
    policies = [];
    await host.refreshPolicy();
    assert.match(await call(theirs.blue), refused);
  });

  test("a pod here goes to another host under its own address, by a Service too, and what comes back is let in", async () => {
    assert.equal(await pod.call(theirs.red, 8080), `peer ${pod.attachment.address}`);
    const endpoints = [{ address: theirs.red, port: 8080 }];
    const there = { namespace: "red", name: "far", addresses: ["10.96.7.7"] };
    await host.setService({ ...there, ports: [{ protocol: "tcp", port: 80, endpoints }] });
    assert.equal(await pod.call("10.96.7.7", 80), `peer ${pod.attachment.address}`);
    assert.equal(await callFromHost("10.96.7.7", 80), "peer 10.244.0.0");
    await host.removeService(there);
  });

  test("packets as large as a pod may send arrive, and are not sent in pieces", async () => {
    assert.equal(pod.attachment.mtu, 1450);
    const long = "long".repeat(20_000);
    await peer.serve(8081, "tcp", long);
    assert.equal(await pod.call(theirs.red, 8081), `${long} ${pod.attachment.address}`);
    const [names = "", values = ""] = (await readFile("/proc/net/snmp", "utf8")).split("\n");
    assert.equal(values.split(" ")[names.split(" ").indexOf("FragCreates")], "0");
  });

  test("a stranger on the network between hosts is heard by nobody, nor is a host with an address of another's range", async () => {
    await host.setService(web());
    const before = await counted("spoofed");
    assert.equal(await stranger.call(pod.attachment.address, 8080, { from: theirs.red }), "timeout");
    await peer.configure(["address add 10.244.3.5/32 dev lo", "address add 10.244.0.77/32 dev lo"]);
    assert.equal(await call("10.244.3.5"), "timeout");
    assert.equal(await call("10.244.0.77"), "timeout");
    assert.ok((await counted("spoofed")) >= before + 3);
    assert.equal(await call(theirs.red), `p1 ${theirs.red}`);
  });

  test("what comes unwrapped from the network between hosts reaches no pod, under whatever address", async () => {
    await run("sh", [
      "-c",
      "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/up0/rp_filter",
    ]);
    await stranger.configure([`route replace ${pod.attachment.address}/32 via ${own} dev eth0`]);
    const before = await counted("refused_by_pods");
    assert.equal(await stranger.call(pod.attachment.address, 8080, { from: theirs.red }), "timeout");
    assert.equal(await stranger.call(pod.attachment.address, 8080, { from: others.stranger }), "timeout");
    assert.ok((await counted("refused_by_pods")) > before);
    await stranger.configure([`route delete ${pod.attachment.address}/32`]);
  });

  test("nothing gets onto the overlay from the network between hosts", async () => {
    await peer.configure(["address add 10.244.1.77/32 dev lo"]);
    assert.equal(await pod.call("10.244.1.77", 8080), `peer ${pod.attachment.address}`);
    await stranger.configure([`route replace 10.244.1.77/32 via ${own} dev eth0`]);
    assert.equal(await stranger.call("10.244.1.77", 8080, { from: others.stranger }), "timeout");
  });

  test("other hosts and their pods reach nothing of this host by the overlay", async () => {
    assert.equal(await call(theirs.red, "10.244.0.0", 22), "timeout");
    assert.equal(await call("10.244.1.0", "10.244.0.0", 22), "timeout");
    assert.match(await call("10.244.1.0"), refused);
  });

  test("the host that serves the API reaches pods here", async () => {
    await host.removeService({ namespace: "red", name: "web" });
    await host.setElsewhere(elsewhere({ peers: [{ address: others.peer, range: "10.244.1.0/24", servesApi: true }] }));
    assert.equal(await call("10.244.1.0"), "p1 10.244.1.0");
    await host.setElsewhere(elsewhere());
    assert.match(await call("10.244.1.0"), refused);
  });

  test("a driver that starts anew finds the ways as they were; one that knows of nobody yet takes none away", async () => {
    await host.setService(web());
    host = await HostNetwork.open({ ...options, services: [web()], elsewhere: elsewhere() });
    assert.equal(await call(theirs.red), `p1 ${theirs.red}`);
    host = await HostNetwork.open({ ...options, services: [web()] });
    assert.equal(await pod.call(theirs.red, 8080), `peer ${pod.attachment.address}`);
    await host.setElsewhere(elsewhere());
    assert.equal(await call(theirs.red), `p1 ${theirs.red}`);
  });

  test("a host that moves is found where it is; one that goes leaves nothing", async () => {
    const moved = [{ address: others.stranger, range: "10.244.1.0/24", servesApi: false }];
    await host.setElsewhere(elsewhere({ peers: moved }));
    assert.equal(await call(theirs.red), "timeout");
    assert.equal(await stranger.call(pod.attachment.address, 8080, { from: theirs.red }), `p1 ${theirs.red}`);
    await host.setElsewhere(elsewhere({ peers: [], sources: new Map() }));
    assert.doesNotMatch(await run("ip", ["link"]), new RegExp(hostNames(data).overlay));
    assert.doesNotMatch(await run("nft", ["list", "table", "ip", hostNames(data).table]), /chain peer_|10\.244\.1\./);
    await host.setElsewhere(elsewhere());
    await removeNetwork(data);
    assert.doesNotMatch(await run("ip", ["link"]), new RegExp(hostNames(data).overlay));
    assert.doesNotMatch(await run("ip", ["route"]), /10\.24/);
  });
}

/** A wire on which this host is, and others can be. */
async function underlay(): Promise<void> {
  const lines = [
    "link add up0 type bridge",
    `address add ${own}/24 dev up0`,
    "link set up0 up",
    `route add default via ${others.peer}`,
  ];
  await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
}

/** A host made by hand, as an overlay's other side has to be: its pods are addresses of its own. */
async function otherHost(
  name: string,
  { address, range, addresses }: { address: string; range: string; addresses: readonly string[] },
): Promise<Neighbour> {
  const neighbour = new Neighbour(name);
  await run("ip", ["netns", "add", name]);
  const wire = `veth-${name}`.slice(0, 15);
  const lines = [`link add ${wire} type veth peer name eth0 netns ${name}`, `link set ${wire} master up0 up`];
  await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  const router = range.replace(/\/.*/, "");
  await neighbour.configure([
    "link set lo up",
    `address add ${address}/24 dev eth0`,
    "link set eth0 up",
    ...addresses.map((each) => `address add ${each}/32 dev lo`),
    `link add vx address ${macOf(router)} type vxlan id ${network} dstport 4789 local ${address} nolearning`,
    `address add ${router}/32 dev vx`,
    "link set vx mtu 1450 up",
    `neighbour replace 10.244.0.0 lladdr ${macOf("10.244.0.0")} dev vx nud permanent`,
    `route replace 10.244.0.0/24 via 10.244.0.0 dev vx onlink src ${router}`,
  ]);
  await run("bridge", ["-netns", name, "fdb", "replace", macOf("10.244.0.0"), "dev", "vx", "dst", own]);
  return neighbour;
}
