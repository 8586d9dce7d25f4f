/**
 * The last stage: paths below a built-in group where nothing is served. Elsewhere below /api and /apis, and outside them,
 * upstream answers such paths in plain text.
 */
import type { Stage } from "../exchange.ts";
import { noSuchResource } from "../refusals.ts";
import type { Catalogue } from "../registry/catalogue.ts";

/** Source: k8s.io/apiserver/pkg/server/handler.go (director): built-in groups have routes of their own, others have not */
export function unserved(catalogue: Catalogue): Stage {
  return ({ info }) => {
    const [, root, group] = info.path.split("/", 3);
    const builtin =
      root === "api" ? group !== undefined && group !== "" : root === "apis" && isBuiltin(catalogue, group ?? "");
    if (builtin) throw noSuchResource();
    return undefined;
  };
}

function isBuiltin(catalogue: Catalogue, group: string): boolean {
  return group !== "" && catalogue.kinds().some((kind) => kind.group === group && kind.custom !== true);
}
