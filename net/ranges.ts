/** Which ranges of addresses a host can give to pods. */
import { overlap, parseRange } from "./address.ts";
import { run } from "./run.ts";

/** None of the ranges is free. */
export class NoRangeFree extends Error {
  override readonly name = "NoRangeFree";
}

/**
 * The first range that shares no address with a route of this host.
 * @throws {NoRangeFree} @throws {ProgramFailed} ip(8) is missing
 */
export async function freeRange(candidates: readonly string[]): Promise<string> {
  const listed = await run("ip", ["-json", "-4", "route", "show", "table", "all"]);
  const routes = JSON.parse(listed.trim() === "" ? "[]" : listed) as readonly { dst?: string }[];
  const taken = routes.flatMap(({ dst = "default" }) => {
    if (dst === "default") return [];
    return [parseRange(dst.includes("/") ? dst : `${dst}/32`)];
  });
  const free = candidates.find((candidate) => !taken.some((range) => overlap(range, parseRange(candidate))));
  if (free === undefined) throw new NoRangeFree(`none of ${candidates.join(", ")} is free on this host`);
  return free;
}
