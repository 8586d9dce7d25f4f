/**
 * What the gateway serves, whoever asked for it: rules in order of precedence, the first that fits a request decides. Pure.
 *
 * A host is one namespace's: whoever named it first. Otherwise a tenant would take another's visitors with a longer path.
 */

/** Who asks for rules. */
export interface Source {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** When it was made: of two that ask for the same, the older has it. */
  readonly since: string;
}

/** Where requests go. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
  /** As the Service has it. */
  readonly port: number;
  readonly address: string;
  /** Its share among the targets of a rule. */
  readonly weight: number;
}

/** A header or parameter that a request must have. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** What is done with a request that fits. */
export interface Action {
  /** None: there is nothing to answer, which is status 503. */
  readonly targets: readonly Target[];
  /** Lines of the proxy's language, made of words that cannot be anything else. */
  readonly edits: readonly string[];
}

/** One rule; what it does not name fits everything. */
export interface Rule {
  /** Lower case; `*.` at the start stands for one label; "" is every host. */
  readonly host: string;
  /** `*.` stands for any number of labels. */
  readonly isDeep?: boolean;
  /** Exact: the path itself. Prefix: it and what is below, without the slash at the end; "" is every path. */
  readonly path: { readonly type: "Exact" | "Prefix"; readonly value: string };
  readonly method?: string;
  readonly headers?: readonly Pair[];
  readonly query?: readonly Pair[];
  /** Only requests that came so. */
  readonly scheme?: "http" | "https";
  readonly action: Action;
}

/** What every path fits. */
export const everyPath: Rule["path"] = { type: "Prefix", value: "" };

/** Says that there is nothing. */
export const nowhere: Action = {
  targets: [],
  edits: ['http-request return status 404 content-type text/plain string "no route fits this request\\n"'],
};

/** Rules of one source, and what of it is not served. */
export interface Asked {
  readonly source: Source;
  readonly rules: readonly Rule[];
  /** After all rules for the same host. */
  readonly defaults: readonly Rule[];
  readonly refused: readonly string[];
}

/** Which namespace has which host. Ask for the oldest source first. */
export class Hosts {
  readonly #owners = new Map<string, string>();

  /** All of them or none. @returns why a namespace cannot have them, which is undefined when it can */
  take(hosts: readonly string[], namespace: string): string | undefined {
    const problem = hosts.map((host) => this.#problem(host, namespace)).find((each) => each !== undefined);
    if (problem === undefined) for (const host of hosts) this.#owners.set(host, namespace);
    return problem;
  }

  #problem(host: string, namespace: string): string | undefined {
    const names = [host, ...ancestors(host)];
    const taken = names.find((each) => (this.#owners.get(each) ?? namespace) !== namespace);
    if (taken === undefined) return undefined;
    return `host ${JSON.stringify(host === "" ? "*" : host)} belongs to another namespace, which named ${taken === "" ? "every host" : taken} first`;
  }
}

/** Wildcards that a host falls under. */
function ancestors(host: string): readonly string[] {
  if (host === "") return [];
  const labels = host.replace(/^\*\./, "").split(".");
  return labels.map((_, index) => `*.${labels.slice(index).join(".")}`).filter((each) => each !== host);
}

/**
 * All rules, the first that fits first. Of two for the same, the older source's stays. The most particular host that somebody
 * has named decides alone: what fits none of its paths is not handed on to whoever has all hosts, who may be another tenant.
 */
export function inOrder(asked: readonly Asked[]): readonly Rule[] {
  const rules = unique(asked.flatMap((each) => each.rules));
  const defaults = unique(asked.flatMap((each) => each.defaults));
  const ends = unique(
    [...rules, ...defaults]
      .filter(({ host }) => host !== "")
      .map(
        ({ host, isDeep = false }): Rule => ({ host, ...(isDeep ? { isDeep } : {}), path: everyPath, action: nowhere }),
      ),
  );
  return [rules, defaults, ends]
    .flatMap((each, turn) => each.map((rule) => ({ rule, turn })))
    .toSorted((a, b) => byHost(a.rule.host, b.rule.host) || a.turn - b.turn || byPrecedence(a.rule, b.rule))
    .map(({ rule }) => rule);
}

/** Oldest first, then by name. */
export function byAge(a: Source, b: Source): number {
  return compare(a.since, b.since) || compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`);
}

function unique(rules: readonly Rule[]): readonly Rule[] {
  const found = new Map<string, Rule>();
  for (const rule of rules) {
    const { action: _, ...asks } = rule;
    const key = JSON.stringify([
      asks.host,
      asks.isDeep,
      asks.path.type,
      asks.path.value,
      asks.method,
      asks.headers,
      asks.query,
      asks.scheme,
    ]);
    if (!found.has(key)) found.set(key, rule);
  }
  return [...found.values()];
}

/**
 * Exact paths, then the longest; then methods, most headers, most parameters.
 * Source: k8s.io/api/networking/v1 (IngressRule); sigs.k8s.io/gateway-api/apis/v1 (HTTPRouteRule.matches)
 */
function byPrecedence(a: Rule, b: Rule): number {
  return byPath(a.path, b.path) || byMore(a, b);
}

/** Full hosts, then wildcards with the longest first, then none. */
const byHost = (a: string, b: string): number => hostRank(a) - hostRank(b) || b.length - a.length || compare(a, b);

const byPath = (a: Rule["path"], b: Rule["path"]): number =>
  compare(a.type, b.type) || b.value.length - a.value.length || compare(a.value, b.value);

function byMore(a: Rule, b: Rule): number {
  const count = (of: readonly Pair[] | undefined) => of?.length ?? 0;
  return (
    Number(a.method === undefined) - Number(b.method === undefined) ||
    count(b.headers) - count(a.headers) ||
    count(b.query) - count(a.query)
  );
}

function hostRank(host: string): number {
  if (host === "") return 2;
  return host.startsWith("*.") ? 1 : 0;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
