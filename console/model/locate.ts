/** Where the kind of an object is served: the server's discovery knows. */
import { ask, CallFailed } from "./call.ts";
import type { AnyObject } from "./object.ts";
import type { Resource } from "./resources.ts";

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** @throws {CallFailed} the server serves no such kind */
export async function locate({ apiVersion = "", kind = "" }: AnyObject): Promise<Resource> {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  if (version === "" || kind === "") throw new CallFailed("An object says its apiVersion and its kind.", { code: 400 });
  const { resources = [] } = await ask<ResourceList>(`${group === "" ? "/api" : "/apis"}/${apiVersion}`);
  const found = resources.find((each) => each.kind === kind && !each.name.includes("/"));
  if (found === undefined) throw new CallFailed(`The server serves no ${kind} of ${apiVersion}.`, { code: 404 });
  return { group, version, kind, plural: found.name, namespaced: found.namespaced };
}
