import assert from "node:assert/strict";
import test from "node:test";
import type { Ingress, IngressClass, Service } from "@atoll/client/builtin";
import fc from "fast-check";
import { gatewayController } from "@atoll/api/supervisor/gateway";
import { plan } from "./plan.ts";

const classes = [{ metadata: { name: "atoll" }, spec: { controller: gatewayController } }] as IngressClass[];
const service = (namespace: string, name: string) =>
  ({
    metadata: { name, namespace },
    spec: { type: "ClusterIP", clusterIP: "10.96.0.7", ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  }) as unknown as Service;
const ingress = (name: string, spec: object, namespace = "shop"): Ingress =>
  ({
    metadata: { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { ingressClassName: "atoll", ...spec },
  }) as unknown as Ingress;
const backend = (name = "web", port: object = { number: 80 }) => ({ service: { name, port } });
const path = (text: string, pathType = "Prefix", to = backend()) => ({ path: text, pathType, backend: to });

function configured(...ingresses: readonly Ingress[]): string {
  const find = (namespace: string, name: string) => (name === "absent" ? undefined : service(namespace, name));
  return plan({ ingresses, classes, service: find, secret: () => undefined }).files?.["haproxy.cfg"] ?? "";
}
const routes = (text: string): readonly string[] => text.match(/use_backend .*/g) ?? [];

test("rules are tried from the most particular to the most general", () => {
  const rules = [
    { http: { paths: [path("/", "Prefix", backend("any"))] } },
    { host: "*.a.test", http: { paths: [path("/", "Prefix", backend("wild"))] } },
    {
      host: "b.a.test",
      http: {
        paths: [
          path("/x", "Prefix", backend("short")),
          path("/x/y/", "ImplementationSpecific", backend("long")),
          path("/x", "Exact", backend("exact")),
        ],
      },
    },
  ];
  const text = configured(ingress("a", { rules, defaultBackend: backend("last") }));
  const found = routes(text);
  assert.deepEqual(
    found.map((line) => / (?:shop:)?(\w+)/.exec(line)?.[1]),
    ["exact", "long", "short", "last", "nowhere", "wild", "last", "nowhere", "any", "last"],
  );
  const testOf = (line = "") =>
    text.match(new RegExp(`acl ${line.split(" ").at(-1)} .*`, "g"))?.map((acl) => acl.replace(/acl \S+ /, ""));
  assert.deepEqual(testOf(found[1]), ["path -m str -- /x/y", "path -m beg -- /x/y/"]);
  assert.deepEqual(testOf(found[0]), ["path -m str -- /x"]);
  assert.deepEqual(testOf(found[5]), ["var(txn.wild) -m str -- \\x2a.a.test"]);
  assert.equal(found[8], "use_backend shop:any:80");
});

test("a backend is found by the name or the number of its port, and what is not there is answered 503", () => {
  const paths = [
    path("/a", "Prefix", backend("web", { name: "http" })),
    path("/b", "Prefix", backend("web", { name: "other" })),
    path("/c", "Prefix", backend("absent")),
  ];
  const found = routes(configured(ingress("a", { rules: [{ host: "a.test", http: { paths } }] })));
  assert.deepEqual(
    found.map((line) => line.split(" ")[1]),
    ["shop:web:80", "unavailable", "unavailable", "nowhere"],
  );
});

const later = (of: Ingress): Ingress => ({
  ...of,
  metadata: { ...of.metadata, creationTimestamp: "2026-01-02T00:00:00Z" },
});

test("of two Ingresses that ask for the same the older has it; a host stays with its namespace", () => {
  const at = (host: string, to: string) => ({ rules: [{ host, http: { paths: [path("/", "Prefix", backend(to))] } }] });
  const text = configured(
    later(ingress("a", at("a.test", "new"))),
    ingress("z", at("a.test", "old")),
    later(ingress("b", at("x.w.test", "thief"), "evil")),
    ingress("w", at("*.w.test", "wild")),
  );
  assert.deepEqual(
    routes(text).flatMap((line) => / (shop:\S+|evil\S+)/.exec(line)?.[1] ?? []),
    ["shop:old:80", "shop:wild:80"],
  );
});

test("when there is no more room, the oldest keep what they have and the others are told", () => {
  const pathsOf = (of: number) => Array.from({ length: 60 }, (_, n) => path(`/${of}/${"x".repeat(900)}${n}`));
  const many = Array.from({ length: 30 }, (_, n) => {
    const each = ingress(`i${n}`, { rules: [{ host: `h${n}.test`, http: { paths: pathsOf(n) } }] });
    return { ...each, metadata: { ...each.metadata, creationTimestamp: `2026-01-01T00:00:${10 + n}Z` } };
  });
  const found = plan({ ingresses: many, classes, service, secret: () => undefined });
  const text = found.files?.["haproxy.cfg"] ?? "";
  assert.ok(text.length < 1_048_576 && text.includes("h0.test") && !text.includes("h29.test"));
  const told = found.refused.map(({ messages }) => messages.join());
  assert.equal(told[0], "");
  assert.match(told[29] ?? "", /the gateway is full/);
});

/** What every line of a configuration looks like, whatever the users wrote. */
const word = String.raw`(?:[A-Za-z0-9\-._~/]|\\x[0-9a-f]{2})+`;
const lines: readonly RegExp[] = [
  new RegExp(String.raw`^  acl t[0-9a-f]{16} (?:var\(txn\.(?:host|wild)\) -m str|path -m (?:str|beg)) -- ${word}$`),
  /^ {2}use_backend [a-z0-9.:-]+(?: if t[0-9a-f]{16}(?: t[0-9a-f]{16})?)?$/,
  /^backend [a-z0-9.:-]+$/,
  /^ {2}server s\d+ 10\.96\.0\.7:80 weight \d+$/,
];

test("whatever users write, the configuration has only lines of known shapes", () => {
  const nasty = fc.constantFrom(
    "\n",
    "\r",
    " ",
    "\t",
    "#",
    '"',
    "'",
    "\\",
    "%",
    "{",
    "}",
    "$",
    "\0",
    "é",
    "|",
    "/",
    "*",
  );
  const text = fc
    .array(
      fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 4 }), fc.constantFrom("a", "-i", "server x", ".test")),
    )
    .map((parts) => parts.join(""));
  const paths = fc.array(
    fc.record({
      path: fc.oneof(
        text,
        text.map((each) => `/${each}`),
      ),
      pathType: fc.constantFrom("Exact", "Prefix", "ImplementationSpecific"),
      backend: fc.constant(backend()),
    }),
    { maxLength: 3 },
  );
  const rule = fc.record({
    host: fc.oneof(text, fc.constant("*.test"), fc.constant("a.test"), fc.constant("*.a.test")),
    http: fc.record({ paths }),
  });
  const base = new Set(configured(ingress("a", {})).split("\n"));
  const good = ingress("good", { rules: [{ host: "good.test", http: { paths: [path("/")] } }] });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), (rules) => {
      // The older one keeps its host, even from a wildcard that has it in it.
      const whole = configured(good, later(ingress("bad", { rules }, "evil")));
      for (const line of whole.split("\n"))
        assert.ok(base.has(line) || lines.some((shape) => shape.test(line)), JSON.stringify(line));
      assert.match(
        whole,
        /acl (t\w+) var\(txn\.host\) -m str -- good\.test\n(?:.*\n)* {2}use_backend shop:web:80 if \1\n/,
      );
    }),
    { numRuns: 200 },
  );
});
