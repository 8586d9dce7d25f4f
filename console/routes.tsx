/** The map of the console: which path shows which page. Pages load when they are first gone to. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Shell } from "./parts/shell.tsx";
import { type InventorySearch, type ListSearch, searchOf, type Tab } from "./paths.ts";

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const root = createRootRoute({ component: Shell });

const listSearch = (raw: Record<string, unknown>): ListSearch => ({
  ns: text(raw["ns"]),
  q: text(raw["q"]),
  sort: text(raw["sort"]),
  wide: text(raw["wide"]),
});
const createSearch = (raw: Record<string, unknown>): { ns?: string | undefined; kind?: string | undefined } => ({
  ns: text(raw["ns"]),
  kind: text(raw["kind"]),
});

const inventorySearch = (raw: Record<string, unknown>): InventorySearch => ({
  ns: text(raw["ns"]),
  q: text(raw["q"]),
  kind: text(raw["kind"]),
  cluster: text(raw["cluster"]),
  only: text(raw["only"]),
});

const page = { getParentRoute: () => root } as const;

const routeTree = root.addChildren([
  createRoute({ ...page, path: "/", component: lazyRouteComponent(() => import("./pages/home/page.tsx"), "Page") }),
  createRoute({
    ...page,
    path: "/k/$slug",
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import("./pages/list/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/k/$slug/$namespace/$name",
    validateSearch: (raw): { tab?: Tab | undefined } => ({ tab: text(raw["tab"]) as Tab | undefined }),
    component: lazyRouteComponent(() => import("./pages/object/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/topology",
    validateSearch: (raw): { ns?: string | undefined; pod?: string | undefined } => ({
      ns: text(raw["ns"]),
      pod: text(raw["pod"]),
    }),
    component: lazyRouteComponent(() => import("./pages/topology/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/infrastructure/hosts",
    component: lazyRouteComponent(() => import("./pages/hosts/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/infrastructure/images",
    validateSearch: (raw): { q?: string | undefined } => ({ q: text(raw["q"]) }),
    component: lazyRouteComponent(() => import("./pages/images/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/infrastructure/datastores",
    component: lazyRouteComponent(() => import("./pages/datastores/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/infrastructure/networks",
    component: lazyRouteComponent(() => import("./pages/networks/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/infrastructure/tasks",
    component: lazyRouteComponent(() => import("./pages/tasks/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/infrastructure/guests",
    validateSearch: (raw): { by?: string | undefined } => ({ by: text(raw["by"]) }),
    component: lazyRouteComponent(() => import("./pages/guests/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/fleet/groups",
    validateSearch: (raw): { ns?: string | undefined; at?: string | undefined } => ({
      ns: text(raw["ns"]),
      at: text(raw["at"]),
    }),
    component: lazyRouteComponent(() => import("./pages/groups/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/fleet/inventory",
    validateSearch: inventorySearch,
    component: lazyRouteComponent(() => import("./pages/inventory/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/fleet/attach",
    validateSearch: (raw): { ns?: string | undefined } => ({ ns: text(raw["ns"]) }),
    component: lazyRouteComponent(() => import("./pages/attach/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/fleet/access",
    validateSearch: (raw): { ns?: string | undefined; verb?: string | undefined; resource?: string | undefined } => ({
      ns: text(raw["ns"]),
      verb: text(raw["verb"]),
      resource: text(raw["resource"]),
    }),
    component: lazyRouteComponent(() => import("./pages/access/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/kinds",
    validateSearch: (raw): { q?: string | undefined } => ({ q: text(raw["q"]) }),
    component: lazyRouteComponent(() => import("./pages/kinds/page.tsx"), "Page"),
  }),
  createRoute({
    ...page,
    path: "/create",
    validateSearch: createSearch,
    component: lazyRouteComponent(() => import("./pages/create/page.tsx"), "Page"),
  }),
]);

/** The console's router. What a URL holds is text: the router's own reading would take `q=42` for a number. */
export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  trailingSlash: "never",
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (values) => searchOf(values),
});

declare module "@tanstack/react-router" {
  interface Register {
    readonly router: typeof router;
  }
}
