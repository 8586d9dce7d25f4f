/** The map of the console: which path shows which page. Pages load when they are first gone to. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Shell } from "./parts/shell.tsx";
import type { ListSearch, Tab } from "./paths.ts";

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const root = createRootRoute({ component: Shell });

const listSearch = (raw: Record<string, unknown>): ListSearch => ({
  ns: text(raw["ns"]),
  q: text(raw["q"]),
  sort: text(raw["sort"]),
});
const namespaceSearch = (raw: Record<string, unknown>): { ns?: string | undefined } => ({ ns: text(raw["ns"]) });

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
    path: "/create",
    validateSearch: namespaceSearch,
    component: lazyRouteComponent(() => import("./pages/create/page.tsx"), "Page"),
  }),
]);

/** The console's router. */
export const router = createRouter({ routeTree, defaultPreload: "intent", trailingSlash: "never" });

declare module "@tanstack/react-router" {
  interface Register {
    readonly router: typeof router;
  }
}
