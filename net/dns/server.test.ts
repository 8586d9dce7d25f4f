/** The name server over real sockets, asked by Node's own resolver and by raw messages. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { promises } from "node:dns";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { decode, encode, type Packet, type Question } from "dns-packet";
import { systemClock } from "@atoll/machinery/clock";
import { DnsServer } from "./server.ts";
import { framed, MessageReader } from "./upstream.ts";
import type { Directory, NamedEndpoint, ServiceNames } from "./zone.ts";

const db = (hostname: string | undefined, address: string, ready = true): NamedEndpoint => ({
  address,
  hostname,
  ready,
  ports: [{ name: "sql", protocol: "tcp", port: 5432 }],
});

const services = new Map<string, ServiceNames>([
  ["shop/web", { type: "virtual", addresses: ["10.96.0.7"], ports: [{ name: "http", protocol: "tcp", port: 80 }] }],
  [
    "shop/db",
    {
      type: "headless",
      publishNotReady: false,
      endpoints: [db("db-0", "10.244.0.5"), db(undefined, "10.244.0.6"), db("db-2", "10.244.0.7", false)],
    },
  ],
  ["shop/nobody", { type: "headless", publishNotReady: false, endpoints: [] }],
  ["shop/away", { type: "external", target: "example.org" }],
  [
    "shop/many",
    {
      type: "headless",
      publishNotReady: false,
      endpoints: Array.from({ length: 200 }, (_, index) => db(undefined, `10.244.1.${index}`)),
    },
  ],
]);

const directory: Directory = {
  service: (namespace, name) => services.get(`${namespace}/${name}`),
  hasNamespace: (namespace) => namespace === "shop",
  namesOf: (address) => (address === "10.96.0.7" ? ["web.shop.svc.cluster.local"] : []),
};

let server: DnsServer;
let outer: DnsServer;
let resolver: promises.Resolver;

before(async () => {
  const common = { address: "127.0.0.1", port: 0, directory, clock: systemClock };
  // The world outside is another of our own that calls its domain otherwise.
  outer = await DnsServer.open({ ...common, domain: "outside.example", resolvers: [] });
  const dead = { address: "127.0.0.1", port: 1 };
  const resolvers = [dead, { address: "127.0.0.1", port: outer.port }];
  server = await DnsServer.open({ ...common, domain: "cluster.local", resolvers });
  resolver = new promises.Resolver({ tries: 1, timeout: 3_000 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
});

after(async () => {
  resolver.cancel();
  await server.close();
  await outer.close();
});

/** One message there, one back. */
function ask(port: number, packet: Partial<Packet>): Promise<Packet> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      socket.close();
      resolve(decode(message));
    });
    socket.send(encode({ type: "query", id: 7, flags: 0x0100, ...packet }), port, "127.0.0.1");
  });
}

const question = (name: string, type: Question["type"] = "A"): Partial<Packet> => ({
  questions: [{ name, type, class: "IN" }],
});

/** dns-packet shows the code of a response, which its types do not know. */
const codeOf = (packet: Packet): string => (packet as Packet & { rcode: string }).rcode;

test("a Service has its address, in any spelling", async () => {
  assert.deepEqual(await resolver.resolve4("web.shop.svc.cluster.local"), ["10.96.0.7"]);
  assert.deepEqual(await resolver.resolve4("WEB.shop.SVC.cluster.local"), ["10.96.0.7"]);
});

test("a Service's named port has an SRV record", async () => {
  const [record] = await resolver.resolveSrv("_http._tcp.web.shop.svc.cluster.local");
  assert.deepEqual([record?.name, record?.port], ["web.shop.svc.cluster.local", 80]);
});

test("a headless Service has its ready endpoints, each with a name of its own", async () => {
  const found = await resolver.resolve4("db.shop.svc.cluster.local");
  assert.deepEqual(new Set(found), new Set(["10.244.0.5", "10.244.0.6"]));
  assert.deepEqual(await resolver.resolve4("db-0.db.shop.svc.cluster.local"), ["10.244.0.5"]);
  assert.deepEqual(await resolver.resolve4("10-244-0-6.db.shop.svc.cluster.local"), ["10.244.0.6"]);
  await assert.rejects(resolver.resolve4("db-2.db.shop.svc.cluster.local"), { code: "ENOTFOUND" });
  const srv = await resolver.resolveSrv("_sql._tcp.db.shop.svc.cluster.local");
  assert.deepEqual(
    new Set(srv.map(({ name, port }) => `${name}:${port}`)),
    new Set(["db-0.db.shop.svc.cluster.local:5432", "10-244-0-6.db.shop.svc.cluster.local:5432"]),
  );
});

test("an address of a Service has its name", async () => {
  assert.deepEqual(await resolver.reverse("10.96.0.7"), ["web.shop.svc.cluster.local"]);
});

test("a pod has a name of its address", async () => {
  assert.deepEqual(await resolver.resolve4("10-244-0-9.shop.pod.cluster.local"), ["10.244.0.9"]);
  await assert.rejects(resolver.resolve4("10-244-0-9.elsewhere.pod.cluster.local"), { code: "ENOTFOUND" });
});

test("an external Service is another name", async () => {
  assert.deepEqual(await resolver.resolveCname("away.shop.svc.cluster.local"), ["example.org"]);
});

test("a name that is not there does not exist; one without records of the type does", async () => {
  const codes = new Map<string, Question["type"]>([
    ["none.shop.svc.cluster.local", "A"],
    ["nobody.shop.svc.cluster.local", "A"],
    ["example.org.shop.svc.cluster.local", "A"],
    ["none.svc.cluster.local", "A"],
  ]);
  for (const [name, type] of codes) {
    const answer = await ask(server.port, question(name, type));
    assert.equal(codeOf(answer), "NXDOMAIN", name);
    assert.equal(answer.authorities?.[0]?.type, "SOA");
  }
  const six = await ask(server.port, question("web.shop.svc.cluster.local", "AAAA"));
  assert.equal(codeOf(six), "NOERROR");
  assert.deepEqual(six.answers, []);
});

test("everything else is asked of the host's resolvers, past one that is dead", async () => {
  assert.deepEqual(await resolver.resolve4("web.shop.svc.outside.example"), ["10.96.0.7"]);
});

test("with no resolver that answers there is a failure, and soon", async () => {
  assert.equal(codeOf(await ask(outer.port, question("example.org"))), "SERVFAIL");
});

test("what does not fit a datagram is truncated there and whole over TCP", async () => {
  const name = "many.shop.svc.cluster.local";
  const short = await ask(server.port, question(name));
  assert.equal((short as Packet & { flag_tc: boolean }).flag_tc, true);
  const whole = await new Promise<Packet>((resolve) => {
    const socket = connect(server.port, "127.0.0.1");
    const reader = new MessageReader((message) => {
      socket.destroy();
      resolve(decode(message));
    });
    socket.on("data", (chunk) => reader.push(chunk));
    socket.write(framed(encode({ type: "query", id: 9, ...question(name) })));
  });
  assert.equal(whole.answers?.length, 200);
});

test("garbage gets no answer and harms nobody", async () => {
  const socket = createSocket("udp4");
  for (const bytes of [Buffer.alloc(0), Buffer.from([1]), Buffer.alloc(12, 255), Buffer.from("c00c".repeat(40), "hex")])
    socket.send(bytes, server.port, "127.0.0.1");
  const stream = connect(server.port, "127.0.0.1");
  stream.on("error", () => undefined);
  stream.write(Buffer.from([0xff, 0xff, 1, 2, 3]));
  assert.deepEqual(await resolver.resolve4("web.shop.svc.cluster.local"), ["10.96.0.7"]);
  socket.close();
  stream.destroy();
});

test("two questions in one message are refused", async () => {
  const [one, two] = [question("web.shop.svc.cluster.local"), question("db.shop.svc.cluster.local")];
  const both = [...(one.questions ?? []), ...(two.questions ?? [])];
  assert.equal(codeOf(await ask(server.port, { questions: both })), "FORMERR");
});
