/**
 * Which form of an answer the client accepts.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation
 */
import { StatusError } from "@atoll/machinery/status";

/** How an object is written: itself, as table rows, or its metadata alone. */
export interface Wanted {
  readonly format: "json" | "yaml";
  readonly as: "object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Version of meta.k8s.io for the last three. */
  readonly metaVersion: "v1" | "v1beta1";
  readonly pretty: boolean;
}

const plain: Wanted = { format: "json", as: "object", metaVersion: "v1", pretty: false };
const formats: Readonly<Record<string, "json" | "yaml">> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "*/*": "json",
};
const shapes: ReadonlySet<string> = new Set(["Table", "PartialObjectMetadata", "PartialObjectMetadataList"]);

/** The types an object can be answered in, for the error that none is accepted. */
const offered = "application/json, application/yaml";

/**
 * @param accept the Accept header; absent or empty accepts all
 * @param list whether the answer is a list, which is no PartialObjectMetadata, and the other way round
 * @param rows whether it can be a Table: answers that are no objects, as access reviews, cannot
 * @throws {StatusError} NotAcceptable
 */
export function negotiate(accept: string | undefined, list: boolean, rows = true): Wanted {
  if (accept === undefined || accept === "" || accept === "application/json" || accept === "*/*") return plain;
  const given = clauses(accept);
  for (const clause of given) {
    const wanted = readClause(clause, list);
    if (wanted !== undefined && (rows || wanted.as !== "Table")) return wanted;
  }
  const isKnown = given.some((clause) => formats[mediaOf(clause)] !== undefined);
  throw new StatusError("NotAcceptable", `only the following media types are accepted: ${offered}`, {
    // Upstream's router refuses what no route answers in, before anybody looks at the parameters.
    ...(isKnown ? {} : { details: {} }),
  });
}

function mediaOf(clause: string): string {
  return (clause.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** The header's clauses, best first: by quality, then as written. */
function clauses(accept: string): string[] {
  return accept
    .split(",")
    .map((clause) => ({ clause: clause.trim(), quality: Number(/;\s*q=([\d.]+)/.exec(clause)?.[1] ?? 1) }))
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ clause }) => clause);
}

function readClause(clause: string, list: boolean): Wanted | undefined {
  const format = formats[mediaOf(clause)];
  if (format === undefined) return undefined;
  const [, ...rest] = clause.split(";").map((part) => part.trim());
  const parameters = new Map(rest.map((part) => part.split("=", 2) as [string, string]));
  const pretty = parameters.get("pretty") === "1" || parameters.get("pretty") === "true";
  const as = parameters.get("as");
  if (as === undefined) return { ...plain, format, pretty };
  const shape = readShape(as, parameters, list);
  return shape === undefined ? undefined : { format, pretty, ...shape };
}

function readShape(
  as: string,
  parameters: ReadonlyMap<string, string>,
  list: boolean,
): Pick<Wanted, "as" | "metaVersion"> | undefined {
  const version = parameters.get("v");
  if (!shapes.has(as) || parameters.get("g") !== "meta.k8s.io") return undefined;
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "PartialObjectMetadata" && list) return undefined;
  if (as === "PartialObjectMetadataList" && !list) return undefined;
  return { as: as as Wanted["as"], metaVersion: version };
}
