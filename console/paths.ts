/** Every URL of the console. Links are made here and nowhere else. */
import { type Resource, slugOf } from "./model/resources.ts";

/** Tabs of an object's page. */
export type Tab = "summary" | "policies" | "yaml" | "events" | "logs" | "terminal" | "history";

/** What a list's URL holds: what is shown survives a reload and can be sent to somebody. */
export interface ListSearch {
  /** Namespace; absent for all. */
  readonly ns?: string | undefined;
  /** Words that rows must contain. */
  readonly q?: string | undefined;
  /** "yes": columns of second rank are shown, too. */
  readonly wide?: string | undefined;
  /** Column to sort by; a "-" before it turns it round. */
  readonly sort?: string | undefined;
}

/** What the inventory's URL holds. */
export interface InventorySearch {
  /** Namespace of the organization; "default" when it is absent. */
  readonly ns?: string | undefined;
  /** Words that must occur. */
  readonly q?: string | undefined;
  /** One kind alone. */
  readonly kind?: string | undefined;
  readonly cluster?: string | undefined;
  /** "unhealthy": only what is not as it should be. */
  readonly only?: string | undefined;
}

/** The part of a URL that holds values, with its question mark; those that are not said are left out. */
export function searchOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const text = new URLSearchParams(given).toString();
  return text === "" ? "" : `?${text}`;
}

/** Stands for the namespace of what has none. */
const noNamespace = "-";

/** Path builders, by page. */
export const paths = {
  home: () => "/",
  signIn: () => "/sign-in",
  list: (resource: Resource, { ns, q, sort, wide }: ListSearch = {}) =>
    `/k/${slugOf(resource)}${searchOf({ ns, q, sort, wide })}`,
  object: (resource: Resource, namespace: string | undefined, name: string, tab: Tab = "summary") =>
    `/k/${slugOf(resource)}/${namespace || noNamespace}/${encodeURIComponent(name)}${searchOf({ tab: tab === "summary" ? undefined : tab })}`,
  kinds: (q?: string) => `/kinds${searchOf({ q })}`,
  create: (ns?: string, kind?: string) => `/create${searchOf({ ns, kind })}`,
  topology: (ns?: string, pod?: string) => `/topology${searchOf({ ns, pod })}`,
  hosts: () => "/infrastructure/hosts",
  images: (q?: string) => `/infrastructure/images${searchOf({ q })}`,
  datastores: () => "/infrastructure/datastores",
  networks: () => "/infrastructure/networks",
  tasks: () => "/infrastructure/tasks",
  machines: (by?: string) => `/infrastructure/guests${searchOf({ by })}`,
  groups: (ns?: string, at?: string) => `/fleet/groups${searchOf({ ns, at })}`,
  inventory: (search: InventorySearch = {}) => `/fleet/inventory${searchOf({ ...search })}`,
  attach: (ns?: string) => `/fleet/attach${searchOf({ ns })}`,
  access: (question: { ns?: string; verb?: string; resource?: string } = {}) => `/fleet/access${searchOf(question)}`,
} as const;

/** The namespace that a path's part means. */
export const namespaceOf = (part: string): string => (part === noNamespace ? "" : part);
