/** What the gateway is to serve, reckoned from everything at once. Pure. */
import type { Ingress, IngressClass, Secret, Service } from "@atoll/client/builtin";
import { Certificates } from "./certificates.ts";
import { configuration } from "./haproxy.ts";
import { asksOf, isServed, sourceOf } from "./ingress.ts";
import { type Asked, byAge, Hosts, inOrder, type Source } from "./rule.ts";

/** Everything that decides. */
export interface Given {
  readonly ingresses: readonly Ingress[];
  readonly classes: readonly IngressClass[];
  service(namespace: string, name: string): Service | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

/** What is to be. */
export interface Plan {
  /** The proxy's, by name; undefined when nobody asks for it. */
  readonly files: Readonly<Record<string, string>> | undefined;
  /** Ingresses that are served. */
  readonly ingresses: readonly Ingress[];
  /** What leads to a Service, by `namespace/name`. */
  readonly routes: ReadonlyMap<string, readonly string[]>;
  /** What of a source is not served. */
  readonly refused: readonly { readonly source: Source; readonly messages: readonly string[] }[];
}

/** The whole plan. */
export function plan(given: Given): Plan {
  const ingresses = given.ingresses
    .filter((each) => isServed(each, given.classes))
    .toSorted((a, b) => byAge(sourceOf(a), sourceOf(b)));
  const hosts = new Hosts();
  const certificates = new Certificates(given.secret);
  const asked = ingresses.map((ingress): Asked => {
    const found = asksOf(ingress, given.service, hosts);
    const untrusted = (ingress.spec.tls ?? []).flatMap(({ hosts: names = [], secretName: secret = "" }) => {
      if (secret === "") return [];
      return certificates.ask({ namespace: found.source.namespace, secret, hosts: names }) ?? [];
    });
    return { ...found, refused: [...found.refused, ...untrusted] };
  });
  return {
    files: asked.length === 0 ? undefined : configuration(inOrder(asked), certificates.served()),
    ingresses,
    routes: routesOf(asked),
    refused: asked.map(({ source, refused }) => ({ source, messages: [...new Set(refused)] })),
  };
}

function routesOf(asked: readonly Asked[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { source, rules, defaults } of asked) {
    for (const { namespace, name } of [...rules, ...defaults].flatMap(({ action }) => action.targets)) {
      const key = `${namespace}/${name}`;
      found.set(key, (found.get(key) ?? new Set()).add(`${source.kind} ${source.namespace}/${source.name}`));
    }
  }
  return new Map([...found].map(([key, names]) => [key, [...names].sort()]));
}
