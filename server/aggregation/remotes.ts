/**
 * The APIServices that other servers answer for: by group and version, and as discovery shows them.
 * Source: k8s.io/kube-aggregator/pkg/apiserver (apiserver.go, handler_discovery.go)
 */
import type { APIService } from "@atoll/api/builtin/apiregistration.k8s.io/v1.types";
import type { Clock } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { RemoteVersion } from "../discovery/groups.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { FollowedObjects } from "../registry/followedobjects.ts";
import type { Resource } from "../registry/resource.ts";

/** A group and version that a Service answers for. */
export interface Remote {
  /** Of the APIService: `v1beta1.metrics.k8s.io`. */
  readonly name: string;
  /** Of this APIService and no later one of its name. */
  readonly uid: string;
  readonly group: string;
  readonly version: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  /** PEM; undefined: the authorities that every program trusts. */
  readonly ca: string | undefined;
  /** Whether any certificate will do. */
  readonly insecure: boolean;
  /** Whether it was reached when last tried. */
  readonly available: boolean;
  readonly priority: RemoteVersion["priority"];
}

export interface RemotesOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** What a server says of itself. */
interface Learnt {
  /** In the form of aggregated discovery. */
  readonly resources: readonly unknown[];
  /** Where its OpenAPI document is. */
  readonly openApi: string | undefined;
}

const httpsPort = 443;

/** Kept up to date in the turn of the commit; nothing is looked at until somebody asks. */
export class Remotes {
  readonly resource: Resource;
  readonly #followed: FollowedObjects<APIService>;
  readonly #listeners = new Set<() => void>();
  /** What the servers say they serve, by the APIService's uid. */
  readonly #learnt = new Map<string, Learnt>();
  #known: ReadonlyMap<string, Remote> = new Map();
  #generation = 0;
  #stale = true;

  constructor({ catalogue, clock, onError }: RemotesOptions) {
    const resource = catalogue.resource("apiregistration.k8s.io", "apiservices");
    if (resource === undefined) throw new TypeError("APIServices are not served");
    this.resource = resource;
    this.#followed = new FollowedObjects({ resource, clock, onError, onChange: () => this.#changed() });
  }

  /** Resolves when the APIServices are known. */
  start(): Promise<void> {
    return this.#followed.start();
  }

  close(): void {
    this.#followed.close();
  }

  /** Calls back after each change of an APIService. Must be quick. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Rises whenever discovery changes. */
  get generation(): number {
    this.#current();
    return this.#generation;
  }

  /** Whether there are none: the usual case. */
  get empty(): boolean {
    return this.#current().size === 0;
  }

  /** Who answers for a group and version; undefined: this server. */
  of(group: string, version: string): Remote | undefined {
    return this.byName(`${version}.${group}`);
  }

  /** @param name of the APIService */
  byName(name: string): Remote | undefined {
    return this.#current().get(name);
  }

  /** All there are, by name. */
  all(): readonly Remote[] {
    return [...this.#current().values()];
  }

  /** Every APIService, local ones too; frozen. */
  services(): readonly APIService[] {
    return this.#followed.all();
  }

  /** As discovery shows them. */
  versions(): readonly RemoteVersion[] {
    return this.all().map(({ uid, group, version, priority, available }) => ({
      group,
      version,
      priority,
      resources: available ? this.#learnt.get(uid)?.resources : undefined,
    }));
  }

  /** Where OpenAPI documents of other servers are found, by the names of this server's own: `apis/apps/v1`. */
  openApi(): Readonly<Record<string, string>> {
    const known = this.all().flatMap((remote): [string, string][] => {
      const url = remote.available ? this.#learnt.get(remote.uid)?.openApi : undefined;
      return url === undefined ? [] : [[rootOf(remote).slice(1), url]];
    });
    return Object.fromEntries(known);
  }

  /** Takes what a server says it serves. */
  learn({ uid }: Remote, learnt: Learnt): void {
    if (deepEqual(this.#learnt.get(uid), learnt)) return;
    this.#learnt.set(uid, learnt);
    this.#generation++;
  }

  #changed(): void {
    this.#stale = true;
    for (const listener of this.#listeners) listener();
  }

  #current(): ReadonlyMap<string, Remote> {
    if (!this.#stale) return this.#known;
    this.#stale = false;
    this.#known = new Map(
      this.#followed
        .all()
        .flatMap((each) => remotesOf(each))
        .map((each) => [each.name, each]),
    );
    const uids = new Set([...this.#known.values()].map(({ uid }) => uid));
    for (const uid of this.#learnt.keys()) if (!uids.has(uid)) this.#learnt.delete(uid);
    this.#generation++;
    return this.#known;
  }
}

/** Where a group and version begins, as `/apis/apps/v1`. */
export function rootOf({ group, version }: { group: string; version: string }): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

function remotesOf({ metadata, spec, status }: APIService): readonly Remote[] {
  const { service, caBundle = "", insecureSkipTLSVerify: insecure = false } = spec;
  if (service === null) return [];
  const { namespace = "", name = "", port = httpsPort } = service;
  const ca = Buffer.from(caBundle, "base64").toString().trim();
  const remote: Remote = {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    group: spec.group ?? "",
    version: spec.version ?? "",
    service: { namespace, name, port },
    ca: ca === "" ? undefined : ca,
    insecure,
    available: isAvailable(status),
    priority: { group: spec.groupPriorityMinimum, version: spec.versionPriority },
  };
  return [remote];
}

function isAvailable({ conditions = [] }: APIService["status"]): boolean {
  return conditions.some(({ type, status }) => type === "Available" && status === "True");
}
