/**
 * How many seats a request takes: a list, or a watch that begins with one, as many as its objects call for; anything
 * else one.
 * Source: k8s.io/apiserver/pkg/util/flowcontrol/request/{list_work_estimator,config}.go
 */
import type { Catalogue } from "../registry/catalogue.ts";
import type { RequestInfo } from "../request.ts";

const objectsPerSeat = 100;
const mostSeats = 10;

/** Seats of a request, 1 to 10. */
export function widthOf(catalogue: Catalogue, info: RequestInfo): number {
  if (info.verb !== "list" && (info.verb !== "watch" || !beginsWithList(info))) return 1;
  if (info.name !== "" || info.query.get("fieldSelector")?.includes("metadata.name=") === true) return 1;
  const stored = catalogue.find(info.group, info.version, info.resource)?.resource?.cache.size ?? 0;
  const limit = Number(info.query.get("limit") ?? 0);
  const objects = limit > 0 ? Math.min(limit, stored) : stored;
  return Math.min(Math.max(Math.ceil(objects / objectsPerSeat), 1), mostSeats);
}

function beginsWithList({ query }: RequestInfo): boolean {
  const revision = query.get("resourceVersion") ?? "";
  return query.get("sendInitialEvents") === "true" || revision === "" || revision === "0";
}
