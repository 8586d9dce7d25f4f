/** Real packets between pods at real taps, in a network namespace of the test's own. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { guardOf } from "./policies/guard.ts";
import type { Policy, World } from "./policies/world.ts";
import type { OutsideWay } from "./services/service.ts";
import { HostNetwork, removeNetwork, type NetworkOptions } from "./host.ts";
import { hostNames } from "./name.ts";
import { run } from "./run.ts";
import { listTaps } from "./taps.ts";
import { callFromHost, inOwnNetwork, insideOwnNetwork, Neighbour, obstacle, TestPod } from "./testing.ts";

const apiAddress = "10.96.0.1";

if (insideOwnNetwork()) realPackets();
else
  test("the host's network, in a namespace of its own", { skip: (await obstacle()) ?? false }, async () => {
    const { code, output } = await inOwnNetwork(import.meta.filename);
    assert.equal(code, 0, output);
  });

function realPackets(): void {
  let data: string;
  let network: HostNetwork;
  let api: Server;
  let options: NetworkOptions;
  let world: Neighbour;
  /** What NetworkPolicies say, for the test to change. */
  let policies: readonly Policy[] = [];
  let flat: readonly string[] = [];
  const pods = new Map<string, TestPod>();
  const pod = (name: string): TestPod => {
    const found = pods.get(name);
    assert.ok(found !== undefined, name);
    return found;
  };
  const start = async (name: string, namespace: string) => {
    pods.set(name, await TestPod.at(name, await network.attach({ uid: name, namespace })));
  };

  const worldOf = (): World => ({
    pods: [...pods.values()].map(({ name, attachment: { address } }) => {
      return {
        uid: name,
        name,
        namespace: name.startsWith("a") ? "red" : "blue",
        labels: { name },
        ports: [],
        address,
      };
    }),
    namespaces: new Map(["red", "blue"].map((name) => [name, { labels: { name }, flat: false }])),
    policies,
  });

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "atoll-net-"));
    api = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`api ${socket.remoteAddress}\n`);
    });
    await new Promise<void>((listening) => api.listen(0, "127.0.0.1", listening));
    const bound = api.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    options = {
      data,
      podRange: "10.244.0.0/24",
      clusterRange: "10.244.0.0/16",
      serviceRange: "10.96.0.0/12",
      hostServices: [
        { virtual: { address: apiAddress, port: 443 }, target: { address: "127.0.0.1", port }, protocols: ["tcp"] },
      ],
      dns: ["10.96.0.10"],
      policy: {
        guardsOf: ({ uid, namespace }, address) => {
          const facts = worldOf();
          const self = { uid, namespace, name: uid, labels: { name: uid }, ports: [], address };
          return { ingress: guardOf(self, "ingress", facts), egress: guardOf(self, "egress", facts) };
        },
        flat: () => new Set(flat.map((name) => pod(name).attachment.address)),
      },
    };
    world = await outside();
    network = await HostNetwork.open(options);
    await start("a1", "red");
    await start("a2", "red");
    await start("b1", "blue");
    for (const each of pods.values()) await each.serve(8080);
    await pod("a2").serve(8080, "udp");
  });

  after(async () => {
    for (const each of pods.values()) await each.stop();
    await world.stop();
    api.close();
    await rm(data, { recursive: true, force: true });
  });

  const opened = (endpoints: readonly string[], more: { exportedTo?: string[]; affinitySeconds?: number } = {}) => ({
    namespace: "red",
    name: "web",
    addresses: ["10.96.5.5"],
    ports: (["tcp", "udp"] as const).map((protocol) => ({
      protocol,
      port: 80,
      endpoints: endpoints.map((name) => ({ address: pod(name).attachment.address, port: 8080 })),
    })),
    ...more,
  });
  const openedOutside = (outside: OutsideWay) => {
    const { ports, ...rest } = opened(["a2"]);
    return { ...rest, ports: ports.map((port) => ({ ...port, outside })) };
  };
  const rule = async (...rules: readonly Policy[]) => {
    policies = rules;
    await network.refreshPolicy();
  };
  const refused = /EHOSTUNREACH|ECONNREFUSED|ENETUNREACH/;

  test("the host reaches a pod", async () => {
    assert.match(await callFromHost(pod("a1").attachment.address, 8080), /^a1 /);
  });

  test("no pod reaches another, in its namespace or not, and each refusal is counted", async () => {
    assert.match(await pod("a1").call(pod("a2").attachment.address, 8080), refused);
    assert.match(await pod("a1").call(pod("b1").attachment.address, 8080), refused);
    const counter = await run("nft", ["list", "counter", "ip", hostNames(data).table, "refused_by_pods"]);
    assert.match(counter, /packets [1-9]/);
  });

  test("a pod reaches the API at its virtual address though the API listens on 127.0.0.1 alone", async () => {
    assert.equal(await pod("a1").call(apiAddress, 443), `api ${pod("a1").attachment.address}`);
  });

  test("a pod reaches nothing else of the host", async () => {
    const port = options.hostServices[0]?.target.port ?? 0;
    assert.match(await pod("a1").call("127.0.0.1", port), /ECONNREFUSED/); // its own loopback
    assert.match(await pod("a1").call("169.254.1.1", port), refused);
    assert.match(await pod("a1").call("192.0.2.1", port), refused);
    assert.match(await pod("a1").call("169.254.169.254", 80), /timeout/);
    await pod("a1").configure(["route add 127.0.0.9/32 via 169.254.1.1 dev eth0 table local"]);
    assert.match(await pod("a1").call("127.0.0.9", port), /timeout|EINVAL/);
  });

  test("a pod of the system that may calls its host's addresses, but never what listens on loopback alone", async () => {
    const listener = createServer((socket) => socket.end("host\n"));
    await new Promise<void>((listening) => listener.listen(0, "192.0.2.1", listening));
    const { port } = listener.address() as AddressInfo;
    assert.match(await pod("a1").call("192.0.2.1", port), refused);
    pods.set(
      "agent",
      await TestPod.at("agent", await network.attach({ uid: "agent", namespace: "system", reachesHost: true })),
    );
    assert.equal(await pod("agent").call("192.0.2.1", port), "host");
    assert.match(await pod("agent").call(pod("a1").attachment.address, 8080), refused);
    const loopback = options.hostServices[0]?.target.port ?? 0;
    assert.match(await pod("agent").call("192.0.2.1", loopback), refused);
    await pod("agent").stop();
    pods.delete("agent");
    await network.detach("agent");
    const left = await run("nft", ["list", "set", "ip", hostNames(data).table, "reaching_host"]);
    assert.doesNotMatch(left, /elements/);
    listener.close();
  });

  test("a pod reaches the world outside under the host's address, and is not reached from there", async () => {
    assert.equal(await pod("a1").call("192.0.2.9", 8080), "outside 192.0.2.1");
    await world.configure(["route add 10.244.0.0/16 via 192.0.2.1"]);
    assert.equal(await world.call(pod("a1").attachment.address, 8080), "timeout");
  });

  test("a NetworkPolicy opens a way into a pod, also from another namespace, and closes it again", async () => {
    const from = [{ namespaceSelector: { matchLabels: { name: "blue" } } }];
    const podSelector = { matchLabels: { name: "a1" } };
    const opens = { podSelector, policyTypes: ["Ingress"], ingress: [{ from, ports: [{ port: 8080 }] }] };
    await rule({ namespace: "red", name: "from-blue", spec: opens });
    assert.match(await pod("b1").call(pod("a1").attachment.address, 8080), /^a1 /);
    assert.match(await pod("a2").call(pod("a1").attachment.address, 8080), refused);
    await rule();
    assert.match(await pod("b1").call(pod("a1").attachment.address, 8080), refused);
  });

  test("a NetworkPolicy that lets nobody in closes what a Service opens; the host still reaches the pod", async () => {
    await network.setService(opened(["a2"]));
    assert.match(await pod("a1").call("10.96.5.5", 80), /^a2 /);
    await rule({ namespace: "red", name: "closed", spec: { podSelector: {}, policyTypes: ["Ingress"] } });
    assert.match(await pod("a1").call("10.96.5.5", 80), refused);
    assert.match(await callFromHost(pod("a2").attachment.address, 8080), /^a2 /);
    await rule();
    assert.match(await pod("a1").call("10.96.5.5", 80), /^a2 /);
    await network.removeService({ namespace: "red", name: "web" });
  });

  test("egress is held to blocks of addresses without their exceptions, and the API stays in reach", async () => {
    const to = (except: string[]) => [{ to: [{ ipBlock: { cidr: "192.0.2.0/24", except } }] }];
    const spec = (except: string[]) => ({ podSelector: {}, policyTypes: ["Egress"], egress: to(except) });
    await rule({ namespace: "red", name: "out", spec: spec([]) });
    assert.equal(await pod("a1").call("192.0.2.9", 8080), "outside 192.0.2.1");
    await rule({ namespace: "red", name: "out", spec: spec(["192.0.2.8/29"]) });
    assert.match(await pod("a1").call("192.0.2.9", 8080), refused);
    assert.equal(await pod("a1").call(apiAddress, 443), `api ${pod("a1").attachment.address}`);
    assert.equal(await pod("b1").call("192.0.2.9", 8080), "outside 192.0.2.1");
    await rule();
  });

  test("pods of flat namespaces reach each other, and nobody else's", async () => {
    flat = ["a1", "b1"];
    await network.refreshPolicy();
    assert.match(await pod("b1").call(pod("a1").attachment.address, 8080), /^a1 /);
    assert.match(await pod("a1").call(pod("a2").attachment.address, 8080), refused);
    flat = [];
    await network.refreshPolicy();
    assert.match(await pod("b1").call(pod("a1").attachment.address, 8080), refused);
  });

  test("a pod is guarded from its first packet on, and leaves no guard behind", async () => {
    policies = [{ namespace: "red", name: "silent", spec: { podSelector: {}, policyTypes: ["Egress"] } }];
    await start("a9", "red");
    assert.match(await pod("a9").call("192.0.2.9", 8080), refused);
    await pod("a9").stop();
    await network.detach("a9");
    pods.delete("a9");
    await rule();
    const rules = await run("nft", ["list", "table", "ip", hostNames(data).table]);
    assert.doesNotMatch(rules, /chain (in|e)gress_/);
  });

  test("by a balanced address or a node port those outside reach a Service's pods, and nothing else of them", async () => {
    const host = "192.0.2.1";
    const at = (more: Partial<OutsideWay> = {}) =>
      openedOutside({ balanced: [{ address: host, port: 81 }], nodePort: 30_080, ...more });
    const direct = () => world.call(pod("a2").attachment.address, 8080);
    await network.setService(at());
    assert.equal(await world.call(host, 81), "a2 192.0.2.9");
    assert.equal(await world.call(host, 81, { protocol: "udp" }), "a2 192.0.2.9");
    assert.equal(await world.call(host, 30_080), "a2 192.0.2.9");
    for (const port of [81, 30_080]) {
      assert.match(await callFromHost(host, port), /^a2 /);
      assert.match(await pod("a1").call(host, port), /^a2 /);
      assert.match(await pod("b1").call(host, port), refused);
    }
    assert.equal(await direct(), "timeout");
    await network.setService(at({ sourceRanges: ["198.51.100.0/24"] }));
    assert.equal(await world.call(host, 81), "timeout");
    await network.setService(at({ sourceRanges: ["198.51.100.0/24", "192.0.2.8/29"] }));
    assert.match(await world.call(host, 81), /^a2 /);
    await rule({ namespace: "red", name: "closed", spec: { podSelector: {}, policyTypes: ["Ingress"] } });
    assert.match(await world.call(host, 81), refused);
    const from = [{ ipBlock: { cidr: "192.0.2.0/24" } }];
    await rule({ namespace: "red", name: "block", spec: { podSelector: {}, ingress: [{ from }] } });
    assert.match(await world.call(host, 81), /^a2 /);
    assert.equal(await direct(), "timeout");
    await rule();
    await network.setService(at({ local: [] }));
    assert.match(await world.call(host, 81), refused);
    assert.match(await pod("a1").call(host, 81), /^a2 /);
    await network.setService({
      ...at({ local: [{ address: pod("a2").attachment.address, port: 8080 }] }),
      affinitySeconds: 9,
    });
    assert.equal(await world.call(host, 81), "a2 192.0.2.9");
    await network.setService(opened(["a2"]));
    assert.match(await world.call(host, 81), refused);
    await network.removeService({ namespace: "red", name: "web" });
  });

  test("the host answers for an address that it announces, until it does no more", async () => {
    await network.setService(openedOutside({ balanced: [{ address: "192.0.2.77", port: 81 }] }));
    await network.announce(new Set(["192.0.2.77", "192.0.2.78"]), 60_000);
    assert.equal(await world.call("192.0.2.77", 81), "a2 192.0.2.9");
    await network.announce(new Set(["192.0.2.78"]), 60_000);
    await network.removeService({ namespace: "red", name: "web" });
    const announced = async () => await run("ip", ["address", "show", "dev", "lo"]);
    assert.match(await announced(), /^(?!.*2\.77\/).*2\.78\/32/s);
    await network.announce(new Set(["192.0.2.78"]), 1_500);
    // Nobody asks for it: it is the kernel that counts.
    await eventually("it is taken away", async () => !(await announced()).includes("2.78/32"));
    await network.announce(new Set(["192.0.2.78"]), 900);
    assert.ok(!(await announced()).includes("2.78/32"));
  });

  test("a pod that takes another's address or MAC is heard by nobody", async () => {
    const [one, other] = [pod("a1"), pod("b1")];
    await one.configure([`address add ${other.attachment.address}/32 dev eth0`]);
    assert.equal(await one.call(apiAddress, 443, { from: other.attachment.address }), "timeout");
    await one.configure([
      `address delete ${other.attachment.address}/32 dev eth0`,
      "link set eth0 address 02:00:00:00:00:01",
    ]);
    assert.match(await one.call(apiAddress, 443), /timeout|EHOSTUNREACH/);
    await one.configure([`link set eth0 address ${one.attachment.mac}`]);
    assert.match(await one.call(apiAddress, 443), /^api /);
    const counter = await run("nft", ["list", "counter", "ip", hostNames(data).table, "spoofed"]);
    assert.match(counter, /packets [1-9]/);
  });

  test("a Service opens the way for its namespace: by its address, by its endpoint's, over TCP and UDP", async () => {
    await network.setService(opened(["a2"]));
    assert.equal(await pod("a1").call("10.96.5.5", 80), `a2 ${pod("a1").attachment.address}`);
    assert.equal(await pod("a1").call("10.96.5.5", 80, { protocol: "udp" }), `a2 ${pod("a1").attachment.address}`);
    assert.equal(await pod("a1").call(pod("a2").attachment.address, 8080), `a2 ${pod("a1").attachment.address}`);
    assert.match(await callFromHost("10.96.5.5", 80), /^a2 /);
    assert.match(await pod("a2").call(pod("a1").attachment.address, 8080), refused);
    assert.match(await pod("b1").call("10.96.5.5", 80), refused);
    assert.match(await pod("b1").call(pod("a2").attachment.address, 8080), refused);
  });

  test("an export opens the way for another namespace, and taking it back closes it", async () => {
    await network.setService(opened(["a2"], { exportedTo: ["blue"] }));
    assert.match(await pod("b1").call("10.96.5.5", 80), /^a2 /);
    await network.setService(opened(["a2"]));
    assert.match(await pod("b1").call("10.96.5.5", 80), refused);
  });

  test("a pod reaches itself through its own Service", async () => {
    assert.match(await pod("a2").call("10.96.5.5", 80), /^a2 /);
  });

  test("connections go to the endpoints in turn", async () => {
    await network.setService(opened(["a1", "a2"]));
    const seen = new Map<string, number>();
    for (let call = 0; call < 8; call++) {
      const [name = ""] = (await callFromHost("10.96.5.5", 80)).split(" ");
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    assert.deepEqual(seen.get("a1"), 4);
    assert.deepEqual(seen.get("a2"), 4);
  });

  test("with session affinity a client stays with its endpoint, until that one is gone", async () => {
    await network.setService(opened(["a1", "a2"], { affinitySeconds: 60 }));
    const answers = new Set<string>();
    for (let call = 0; call < 5; call++) answers.add(await pod("a1").call("10.96.5.5", 80));
    assert.equal(answers.size, 1);
    const [stays = ""] = [...answers].map((answer) => answer.split(" ")[0] ?? "");
    const other = stays === "a1" ? "a2" : "a1";
    await network.setService(opened([other], { affinitySeconds: 60 }));
    assert.ok((await pod("a1").call("10.96.5.5", 80)).startsWith(other));
  });

  test("who calls over UDP without end is led on when an endpoint goes or comes, also while nobody drove", async () => {
    await pod("a1").serve(8080, "udp");
    await network.setService(opened(["a2"]));
    const answers = pod("b1").keepCalling("10.96.5.5", 80);
    const next = async () => String((await answers.next()).value).split(" ")[0] ?? "";
    /** What was led to an endpoint that is gone is refused once or twice. */
    const nextName = async (): Promise<string> => {
      const answer = await next();
      return refused.test(answer) ? await nextName() : answer;
    };
    const open = { exportedTo: ["blue"] };
    await network.setService(opened(["a2"], open));
    assert.equal(await nextName(), "a2");
    await network.setService(opened(["a1"], open));
    assert.equal(await nextName(), "a1");
    await network.setService(opened([], open));
    assert.match(await next(), refused);
    network = await HostNetwork.open({ ...options, services: [opened(["a2"], open)] });
    assert.equal(await nextName(), "a2");
    const fromOutside = world.keepCalling("192.0.2.1", 81);
    assert.match(String((await fromOutside.next()).value), refused);
    await network.setService(openedOutside({ balanced: [], nodePort: 81 }));
    assert.match(String((await fromOutside.next()).value), /^a2 /);
    await network.setService(opened(["a2"], open));
  });

  test("deleting a Service closes the way, and leaves nothing in the tables", async () => {
    await network.removeService({ namespace: "red", name: "web" });
    assert.match(await pod("a1").call("10.96.5.5", 80), refused);
    assert.match(await pod("a1").call(pod("a2").attachment.address, 8080), refused);
    const rules = await run("nft", ["list", "table", "ip", hostNames(data).table]);
    assert.doesNotMatch(rules, /svc_|8080/);
  });

  test("places outlive the driver: taken up again, the same, without a packet lost in between", async () => {
    const before = pod("a1").attachment;
    network = await HostNetwork.open(options);
    assert.deepEqual(await network.attach({ uid: "a1", namespace: "red" }), before);
    assert.match(await pod("a1").call(apiAddress, 443), /^api /);
    assert.deepEqual([...network.attached().keys()].sort(), ["a1", "a2", "b1"]);
  });

  test("a tap that went, as in a restart of the host, is made again; one without a record goes", async () => {
    const { tapPrefix } = hostNames(data);
    const { tap } = await network.attach({ uid: "gone", namespace: "red" });
    await run("ip", ["link", "delete", "dev", tap]);
    await run("ip", ["tuntap", "add", "dev", `${tapPrefix}ff`, "mode", "tap"]);
    network = await HostNetwork.open(options);
    const taps = await listTaps(tapPrefix);
    assert.ok(taps.includes(tap));
    assert.ok(!taps.includes(`${tapPrefix}ff`));
    await network.detach("gone");
    await network.detach("gone");
    assert.ok(!(await listTaps(tapPrefix)).includes(tap));
  });

  test("an address just released rests while others are free", async () => {
    const first = await network.attach({ uid: "x1", namespace: "red" });
    await network.detach("x1");
    const second = await network.attach({ uid: "x2", namespace: "red" });
    await network.detach("x2");
    assert.notEqual(first.address, second.address);
  });

  test("two data directories stand side by side", async () => {
    const other = await mkdtemp(join(tmpdir(), "atoll-net-"));
    const theirs = { ...options, data: other, clusterRange: "10.245.0.0/16" };
    const second = await HostNetwork.open({ ...theirs, podRange: "10.245.0.0/24" });
    const place = await second.attach({ uid: "c1", namespace: "red" });
    const guest = await TestPod.at("c1", place);
    await guest.serve(8080);
    assert.equal(await guest.call(apiAddress, 443), `api ${place.address}`);
    assert.match(await pod("a1").call(place.address, 8080), /timeout|EHOSTUNREACH|ENETUNREACH/);
    await guest.stop();
    // A host that joined anew has another range, and the one before may be another host's.
    const moved = await HostNetwork.open({ ...theirs, podRange: "10.245.9.0/24" });
    assert.deepEqual([...moved.attached()], []);
    assert.match(await run("ip", ["route"]), /^(?!.*10\.245\.0\.).*unreachable 10\.245\.9\.0\/24/s);
    await removeNetwork(other);
    assert.match(await pod("a1").call(apiAddress, 443), /^api /);
    await rm(other, { recursive: true, force: true });
  });

  test("what is removed leaves no tap, rule or route", async () => {
    await removeNetwork(data);
    await removeNetwork(data);
    assert.deepEqual(await listTaps(hostNames(data).tapPrefix), []);
    assert.doesNotMatch(await run("ip", ["address"]), /192\.0\.2\.78/);
    assert.equal((await run("nft", ["list", "ruleset"])).trim(), "");
    assert.doesNotMatch(await run("ip", ["route"]), /10\.24/);
  });
}

/** The world outside: a neighbour at 192.0.2.9 on the host's link. */
async function outside(): Promise<Neighbour> {
  const world = new Neighbour("outside");
  await run("ip", ["netns", "add", world.name]);
  const lines = [
    `link add up0 type veth peer name eth0 netns ${world.name}`,
    "address add 192.0.2.1/24 dev up0",
    "link set up0 up",
    "route add default via 192.0.2.9",
  ];
  await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  await world.configure(["address add 192.0.2.9/24 dev eth0", "link set eth0 up"]);
  await world.serve(8080);
  return world;
}
