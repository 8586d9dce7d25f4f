/**
 * resourceVersion, resourceVersionMatch, limit and continue: which moment a read speaks of.
 * Source: kubernetes.io/docs/reference/using-api/api-concepts (Resource versions),
 * k8s.io/apiserver/pkg/storage/continue.go, k8s.io/apimachinery/pkg/apis/meta/internalversion/validation
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";
import { invalid } from "../registry/invalid.ts";
import { isTrue } from "../request.ts";
import { integer } from "./options.ts";

/** How long a read waits for a revision that no write has reached yet. Source: apiserver's cacher, 3 s */
export const futureRevisionMs = 3_000;

/**
 * A resourceVersion parameter; undefined when absent or empty.
 * @throws {StatusError} BadRequest; upstream answers 500 to some verbs, which blames itself for the client's mistake
 */
export function revisionOption(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const revision = /^\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(revision)) {
    throw new StatusError("BadRequest", `invalid resource version ${JSON.stringify(text)}: must be a whole number`);
  }
  return revision;
}

/** What a list or watch asks for, beside selectors. */
export interface ListOptions {
  readonly limit: number;
  readonly from: Continue | undefined;
  readonly revision: number | undefined;
  readonly match: "" | "Exact" | "NotOlderThan";
  readonly bookmarks: boolean;
  readonly initialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

/** @throws {StatusError} BadRequest, Invalid, Expired */
export function listOptions(query: URLSearchParams, { watch }: { watch: boolean }): ListOptions {
  const match = query.get("resourceVersionMatch") ?? "";
  const revisionText = query.get("resourceVersion") ?? "";
  const sendInitialEvents = query.get("sendInitialEvents");
  const continueText = query.get("continue") ?? "";
  const initialEvents = sendInitialEvents === null || sendInitialEvents === "" ? undefined : isTrue(sendInitialEvents);
  const options = {
    initialEvents,
    bookmarks: isTrue(query.get("allowWatchBookmarks")),
    limit: numberOption(query, "limit") ?? 0,
    timeoutSeconds: numberOption(query, "timeoutSeconds"),
  };
  const errors = new FieldErrors();
  (watch ? checkWatch : checkList)({ match, revisionText, continueText, initialEvents }, errors);
  if (!errors.ok) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  const revision = revisionOption(revisionText);
  const from = continueText === "" || watch ? undefined : readContinue(continueText);
  if (from !== undefined && revision !== undefined && revision !== 0) {
    throw new StatusError("BadRequest", "specifying resource version is not allowed when using continue");
  }
  return { ...options, match: match as ListOptions["match"], revision, from };
}

function numberOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null || text === "" ? undefined : integer(text, name);
}

interface Together {
  readonly match: string;
  readonly revisionText: string;
  readonly continueText: string;
  readonly initialEvents: boolean | undefined;
}

const matchPath = Path.of("resourceVersionMatch");

/** Combinations that mean nothing for a list. Source: ValidateListOptions */
function checkList({ match, revisionText, continueText, initialEvents }: Together, errors: FieldErrors): void {
  if (match !== "") {
    if (revisionText === "") {
      errors.forbidden(matchPath, "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (continueText !== "") errors.forbidden(matchPath, "resourceVersionMatch is forbidden when continue is provided");
    if (match !== "Exact" && match !== "NotOlderThan")
      errors.notSupported(matchPath, match, ["Exact", "NotOlderThan", ""]);
    if (match === "Exact" && revisionText === "0") {
      errors.forbidden(matchPath, `resourceVersionMatch "Exact" is forbidden for resourceVersion "0"`);
    }
  }
  if (initialEvents !== undefined) {
    errors.forbidden(Path.of("sendInitialEvents"), "sendInitialEvents is forbidden for list");
  }
}

/** Combinations that mean nothing for a watch. Source: validateWatchOptions */
function checkWatch({ match, continueText, initialEvents }: Together, errors: FieldErrors): void {
  if (initialEvents !== undefined && match !== "NotOlderThan") {
    errors.forbidden(matchPath, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (match !== "") {
    if (initialEvents === undefined) {
      errors.forbidden(matchPath, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if (match !== "NotOlderThan") errors.notSupported(matchPath, match, ["NotOlderThan"]);
  }
  if (continueText !== "") errors.forbidden(matchPath, "resourceVersionMatch is forbidden when continue is provided");
}

/** Where a paged list goes on: after a key, at the revision of its first page (-1: at whatever is newest). */
export interface Continue {
  readonly revision: number;
  /** Relative to the resource's prefix of the request. */
  readonly after: string;
}

/** An opaque token for the next page. Source: k8s.io/apiserver/pkg/storage/continue.go */
export function formatContinue(from: Continue): string {
  const token = { v: "meta.k8s.io/v1", rv: from.revision, start: `${from.after}\u0000` };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** @throws {StatusError} BadRequest */
function readContinue(text: string): Continue {
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch (cause) {
    throw new StatusError("BadRequest", "continue key is not valid", { cause });
  }
  const { v, rv, start } = token ?? {};
  const valid = v === "meta.k8s.io/v1" && Number.isSafeInteger(rv) && rv !== 0 && typeof start === "string";
  if (!valid || start === "" || start.split("/").some((part) => part === ".." || part === ".")) {
    throw new StatusError("BadRequest", "continue key is not valid");
  }
  return { revision: rv as number, after: start.endsWith("\u0000") ? start.slice(0, -1) : start };
}
