/**
 * Rules as HAProxy's configuration. Nothing of a user's stands in it as written: hosts are DNS names by then, and of anything
 * else every byte but the plainest is an escape, so that none can end a word, a line or a quotation. Pure.
 * Source: HAProxy configuration manual 3.0, sections 2.2 (quoting and escaping), 4 (proxies), 5.1 (bind, crt-list), 7 (ACLs)
 */
import { createHash } from "node:crypto";
import { gatewayFolder } from "@atoll/api/supervisor/gateway";
import type { Served } from "./certificates.ts";
import { type Action, nowhere, type Rule, type Target } from "./rule.ts";

/** Ports at which the proxy listens in its pod. */
export const ports = { http: 8080, https: 8443, health: 8081 } as const;

/** Answers whether the proxy is there. */
export const healthPath = "/healthz";

const plain = /[^A-Za-z0-9\-._~/]/g;

/** One word, whatever it holds of ASCII. */
const quoted = (text: string): string =>
  text.replace(plain, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** One word where the proxy would look for variables. */
export const quotedFormat = (text: string): string => quoted(text.replaceAll("%", "%%"));

/** Files by name: `haproxy.cfg`, and with certificates a list of them and each of them. */
export function configuration(
  rules: readonly Rule[],
  certificates: readonly Served[],
): Readonly<Record<string, string>> {
  const actions = new Map(rules.flatMap(({ action }) => (isGiven(action) ? [] : [[nameOf(action), action] as const])));
  const sections = [
    base,
    health,
    frontend(rules, certificates.length > 0),
    backend("nowhere", nowhere),
    unavailable,
    ...[...actions].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, action]) => backend(name, action)),
  ];
  const text = sections.map((lines) => `${lines.join("\n  ")}\n`).join("\n");
  if (certificates.length === 0) return { "haproxy.cfg": text };
  const list = certificates.map(({ name, hosts }) => [`${gatewayFolder}/${name}`, ...hosts].join(" "));
  return {
    "haproxy.cfg": text,
    "certificates.list": `${list.join("\n")}\n`,
    ...Object.fromEntries(certificates.map(({ name, pem }) => [name, pem])),
  };
}

const base = [
  "global\n  log stdout format raw daemon\n  hard-stop-after 60s\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n\ndefaults",
  "mode http",
  "log global",
  "option httplog",
  "option dontlognull",
  "timeout connect 5s",
  "timeout client 60s",
  "timeout server 60s",
  "timeout http-request 10s",
  "timeout tunnel 1h",
  // An endpoint that went away between two requests is passed over, unless it may have seen the request.
  "retries 3",
  "option redispatch",
];

const health = [
  "frontend health",
  `bind :${ports.health}`,
  "option dontlog-normal",
  `http-request return status 200 if { path ${healthPath} }`,
  "http-request return status 404",
];

function frontend(rules: readonly Rule[], isTls: boolean): readonly string[] {
  const list = `${gatewayFolder}/certificates.list`;
  return [
    "frontend outside",
    `bind :${ports.http}`,
    // Who asks by a name that nobody has a certificate for is shown nobody's.
    ...(isTls ? [`bind :${ports.https} ssl strict-sni crt-list ${list} alpn h2,http/1.1`] : []),
    "http-request set-var(txn.host) req.hdr(host),field(1,:),lower,rtrim(.)",
    // `*.` stands for one label.
    "http-request set-var(txn.wild) var(txn.host),regsub(^[^.]+,*)",
    // What a client says of these is not believed.
    "http-request set-header X-Forwarded-For %[src]",
    "http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    "http-request set-header X-Forwarded-Proto http",
    "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
    "acl tls ssl_fc",
    ...new Set(rules.flatMap(testsOf).flatMap(({ lines }) => lines)),
    ...rules.map((rule) => {
      const names = [...testsOf(rule).map(({ name }) => name), ...schemeOf(rule)];
      return `use_backend ${nameOf(rule.action)}${names.length === 0 ? "" : ` if ${names.join(" ")}`}`;
    }),
    "default_backend nowhere",
  ];
}

const isGiven = (action: Action): boolean => action === nowhere || isUnavailable(action);

const isUnavailable = ({ targets, edits }: Action): boolean => targets.length === 0 && edits.length === 0;

/** Says what it is where that is short; otherwise it is a digest of what it does. */
function nameOf(action: Action): string {
  const { targets, edits } = action;
  if (action === nowhere) return "nowhere";
  if (isUnavailable(action)) return "unavailable";
  const [target] = targets;
  if (target !== undefined && targets.length === 1 && edits.length === 0)
    return `${target.namespace}:${target.name}:${target.port}`;
  return `rule:${createHash("sha256").update(JSON.stringify(action)).digest("hex").slice(0, 16)}`;
}

/** Something to be found out about a request; of several lines any will do. */
interface Test {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Each has a name: a line of the proxy's may have no more than 64 words. */
function testsOf({ host, isDeep = false, path, method, headers = [], query = [] }: Rule): readonly Test[] {
  return [
    ...hostTests(host, isDeep),
    ...(method === undefined ? [] : [test(["method", "str", method])]),
    ...headers.map(({ name, value }) => test([`req.fhdr(${name})`, "str", value])),
    ...query.map(({ name, value }) => test([`url_param(${name}),url_dec`, "str", value])),
    ...pathTests(path),
  ];
}

const schemeOf = ({ scheme }: Rule): readonly string[] =>
  scheme === undefined ? [] : [scheme === "https" ? "tls" : "!tls"];

/** @param ways what is looked at, how, and the value that is wanted */
function test(...ways: readonly (readonly [string, "str" | "beg" | "end", string])[]): Test {
  const asked = ways.map(([fetch, how, value]) => `${fetch} -m ${how} -- ${quoted(value)}`);
  const name = `t${createHash("sha256").update(asked.join("\n")).digest("hex").slice(0, 16)}`;
  return { name, lines: asked.map((each) => `acl ${name} ${each}`) };
}

function hostTests(host: string, isDeep: boolean): readonly Test[] {
  if (host === "") return [];
  if (!host.startsWith("*.")) return [test(["var(txn.host)", "str", host])];
  return [isDeep ? test(["var(txn.host)", "end", host.slice(1)]) : test(["var(txn.wild)", "str", host])];
}

function pathTests({ type, value }: Rule["path"]): readonly Test[] {
  if (type === "Exact") return [test(["path", "str", value])];
  return value === "" ? [] : [test(["path", "str", value], ["path", "beg", `${value}/`])];
}

const unavailable = [
  "backend unavailable",
  'http-request return status 503 content-type text/plain string "the route\'s service is not there\\n"',
];

/** A target of no weight gets nothing. Where there is none, the edits have the last word. */
function backend(name: string, { targets, edits }: Action): readonly string[] {
  const used = targets.filter(({ weight }) => weight > 0);
  const most = Math.max(1, ...used.map(({ weight }) => weight));
  return [
    `backend ${name}`,
    ...edits,
    ...used.map((target, index) => `server s${index} ${placeOf(target)} weight ${weightOf(target, most)}`),
  ];
}

const placeOf = ({ address, port }: Target): string => `${address.includes(":") ? `[${address}]` : address}:${port}`;

const largestWeight = 256;

/** Weights are as they were given, unless one is larger than the proxy knows. */
const weightOf = ({ weight }: Target, most: number): number =>
  most <= largestWeight ? weight : Math.max(1, Math.round((weight * largestWeight) / most));
