import assert from "node:assert/strict";
import test from "node:test";
import type { Gateway, GatewayClass } from "@atoll/api/gatewayapi/gateway";
import type { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import { gatewayController } from "@atoll/api/supervisor/gateway";
import type { Namespace, Service } from "@atoll/client/builtin";
import fc from "fast-check";
import { plan } from "./plan.ts";
import { intersection } from "./routes.ts";

const metadata = { namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" };
const given = {
  ingresses: [],
  classes: [],
  gatewayClasses: [{ metadata: { name: "atoll" }, spec: { controllerName: gatewayController } }] as GatewayClass[],
  gateways: [
    {
      metadata: { ...metadata, name: "edge" },
      spec: { gatewayClassName: "atoll", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
    },
  ] as Gateway[],
  namespace: (name: string) => ({ metadata: { name } }) as Namespace,
  secret: () => undefined,
  service: (namespace: string, name: string) =>
    ({
      metadata: { name, namespace },
      spec: { type: "ClusterIP", clusterIP: "10.96.0.7", ports: [{ port: 80, protocol: "TCP" }] },
    }) as unknown as Service,
};

function configured(...rules: readonly object[]): { readonly text: string; readonly said: string } {
  const spec = { parentRefs: [{ name: "edge" }], hostnames: ["a.test"], rules };
  const route = { metadata: { ...metadata, name: "r" }, spec } as unknown as HTTPRoute;
  const { files, routed } = plan({ ...given, routes: [route] });
  const said = (routed[0]?.joined[0]?.said ?? []).map(({ reason, message }) => `${reason}: ${message}`).join("\n");
  return { text: files?.["haproxy.cfg"] ?? "", said };
}
const backendRefs = [{ name: "web", port: 80 }];

for (const { title, rule, says } of [
  {
    title: "method, headers and parameters",
    rule: {
      backendRefs,
      matches: [{ method: "GET", headers: [{ name: "X-A", value: "a b" }], queryParams: [{ name: "q", value: "-i" }] }],
    },
    says: /method -m str -- GET\n(?:.*\n)*? {2}acl \w+ req\.fhdr\(X-A\) -m str -- a\\x20b\n(?:.*\n)*? {2}acl \w+ url_param\(q\),url_dec -m str -- -i\n(?:.*\n)*? {2}use_backend shop:web:80 if t\w+ t\w+ t\w+ t\w+ !tls\n/,
  },
  {
    title: "header filters",
    rule: {
      backendRefs,
      filters: [
        { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "A", value: "1%x" }], remove: ["B"] } },
        { type: "ResponseHeaderModifier", responseHeaderModifier: { add: [{ name: "C", value: "#" }] } },
      ],
    },
    says: /http-request set-header A 1\\x25\\x25x\n {2}http-request del-header B\n {2}http-response add-header C \\x23\n/,
  },
  {
    title: "a redirection to another scheme",
    rule: { filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }] },
    says: /redirect code 301 location https:\/\/%\[req\.hdr\(host\),field\(1,:\)\]%\[path\]\n/,
  },
  {
    title: "another prefix",
    rule: {
      backendRefs,
      matches: [{ path: { type: "PathPrefix", value: "/old/" } }],
      filters: [
        { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" } } },
      ],
    },
    says: /set-var\(txn\.rest\) path,bytes\(4\)\n {2}http-request set-path \/new if .* len 0 \}\n {2}http-request set-path \/new%\[var\(txn\.rest\)\] unless/,
  },
  {
    title: "weights",
    rule: {
      backendRefs: [
        { name: "a", port: 80, weight: 9 },
        { name: "b", port: 80 },
        { name: "c", port: 80, weight: 0 },
      ],
    },
    says: /server s0 \S+ weight 9\n {2}server s1 \S+ weight 1\n(?! {2}server)/,
  },
  { title: "nothing to answer", rule: {}, says: /http-request return status 500\n/ },
]) {
  test(`a route's ${title} are the proxy's`, () => {
    const { text, said } = configured(rule);
    assert.match(text, says);
    assert.match(said, /^Accepted/);
  });
}

for (const [what, rule] of Object.entries({
  "rules[].timeouts": { backendRefs, timeouts: { request: "1s" } },
  "paths as regular expressions": { backendRefs, matches: [{ path: { type: "RegularExpression", value: "/a.*" } }] },
  "header name": { backendRefs, matches: [{ headers: [{ name: "a) -m found } || { always_true", value: "x" }] }] },
  value: { backendRefs, matches: [{ headers: [{ name: "a", value: "x\n  bind :1" }] }] },
  "filter ExtensionRef": { backendRefs, filters: [{ type: "ExtensionRef" }] },
  "filters of a backendRef": { backendRefs: [{ ...backendRefs[0], filters: [{ type: "URLRewrite" }] }] },
  host: { filters: [{ type: "RequestRedirect", requestRedirect: { hostname: "a b" } }] },
})) {
  test(`a route is refused for its ${what}`, () => {
    const { text, said } = configured({ backendRefs }, rule);
    assert.ok(said.startsWith("UnsupportedValue: ") && said.includes(what), said);
    assert.ok(!text.includes("use_backend"), text);
  });
}

test("hostnames of a route and its listener meet at the narrower", () => {
  assert.deepEqual(intersection("", ["a.test"]), ["a.test"]);
  assert.deepEqual(intersection("*.test", []), ["*.test"]);
  assert.deepEqual(intersection("*.test", ["a.b.test", "test", "x.other"]), ["a.b.test"]);
  assert.deepEqual(intersection("a.b.test", ["*.test"]), ["a.b.test"]);
});

test("whatever a route says, it adds lines of known shapes or is refused", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("a", "a\nb", "%[src]", "a b", "} || {", "/x"),
  );
  const pair = fc.record({ name: text, value: text });
  const change = fc.record({
    type: fc.constantFrom("ReplaceFullPath", "ReplacePrefixMatch"),
    replaceFullPath: text,
    replacePrefixMatch: text,
  });
  const rule = fc.record({
    backendRefs: fc.constant(backendRefs),
    matches: fc.array(
      fc.record({
        path: fc.record({ value: text.map((each) => `/${each}`) }),
        headers: fc.array(pair, { maxLength: 1 }),
        queryParams: fc.array(pair, { maxLength: 1 }),
      }),
      { maxLength: 2 },
    ),
    filters: fc
      .oneof(
        fc.record({
          type: fc.constant("RequestHeaderModifier"),
          requestHeaderModifier: fc.record({ set: fc.array(pair), remove: fc.array(text) }),
        }),
        fc.record({ type: fc.constant("URLRewrite"), urlRewrite: fc.record({ hostname: text, path: change }) }),
        fc.record({
          type: fc.constant("RequestRedirect"),
          requestRedirect: fc.record({ hostname: text, path: change }),
        }),
      )
      .map((each) => [each]),
  });
  const word = String.raw`(?:[A-Za-z0-9\-._~/]|\\x[0-9a-f]{2})*`;
  const shapes = [
    /^$/,
    /^backend [a-z0-9.:-]+$/,
    /^ {2}server s0 10\.96\.0\.7:80 weight 1$/,
    /^ {2}http-request return status 50[03]/,
    /^ {2}use_backend [a-z0-9.:-]+ if t[0-9a-f]{16}(?: t[0-9a-f]{16})*(?: !tls)?$/,
    new RegExp(
      String.raw`^  acl t[0-9a-f]{16} (?:var\(txn\.host\)|path|req\.fhdr\([\w-]+\)|url_param\([\w-]+\),url_dec) -m (?:str|beg) -- ${word}$`,
    ),
    new RegExp(String.raw`^  http-request (?:set-header|del-header) [\w-]+(?: ${word})?$`),
    /^ {2}http-request set-var\(txn\.rest\) path,bytes\(\d+\)$/,
    new RegExp(
      String.raw`^  http-request set-path ${word}(?:%\[var\(txn\.rest\)\])?(?: (?:if|unless) \{ var\(txn\.rest\) -m len 0 \})?$`,
    ),
    new RegExp(
      String.raw`^  http-request redirect code 302 location %\[ssl_fc,iif\(https,http\)\]://${word}%\[path\](?:\?%\[query\] if \{ query -m found \})?$`,
    ),
  ];
  const base = new Set(configured({ backendRefs }).text.split("\n"));
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 2 }), (rules) => {
      for (const line of configured(...rules).text.split("\n"))
        assert.ok(base.has(line) || shapes.some((shape) => shape.test(line)), JSON.stringify(line));
    }),
    { numRuns: 200 },
  );
});
