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
 * @param failure what to answer with when it is none; upstream answers 500 to a GET
 * @throws {StatusError}
 */
export function revisionOption(text: string | null, failure: { code?: number } = {}): number | undefined {
  if (text === null || text === "") return undefined;
  const revision = /^\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(revision)) {
    const message = `invalid resource version ${JSON.stringify(text)}: must be a whole number`;
    throw failure.code === undefined
      ? new StatusError("BadRequest", message)
      : new StatusError("Unknown", message, { code: failure.code });
  }
  return revision;
}

/** What a list or watch asks for, beside selectors. */
export interface ListOptions {
  readonly limit: number;
  readonly from: Continue | undefined;
  readonly revision: number | undefined;
  readonly match: "" | "Exact" | "NotOlderThan";
  readonly watch: boolean;
  readonly bookmarks: boolean;
  readonly initialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

/** @throws {StatusError} BadRequest, Invalid, Expired */
export function listOptions(query: URLSearchParams): ListOptions {
  const watch = isTrue(query.get("watch"));
  const match = query.get("resourceVersionMatch") ?? "";
  const revisionText = query.get("resourceVersion") ?? "";
  const initialEvents = query.get("sendInitialEvents");
  const continueText = query.get("continue") ?? "";
  const options = {
    watch,
    initialEvents: initialEvents === null || initialEvents === "" ? undefined : isTrue(initialEvents),
    bookmarks: isTrue(query.get("allowWatchBookmarks")),
    limit: numberOption(query, "limit") ?? 0,
    timeoutSeconds: numberOption(query, "timeoutSeconds"),
  };
  checkTogether({ ...options, match, revisionText, continueText });
  const revision = revisionOption(revisionText);
  const from = continueText === "" || watch ? undefined : readContinue(continueText);
  return { ...options, match: match as ListOptions["match"], revision, from };
}

function numberOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null || text === "" ? undefined : integer(text, name);
}

interface Together {
  readonly watch: boolean;
  readonly match: string;
  readonly revisionText: string;
  readonly continueText: string;
  readonly initialEvents: boolean | undefined;
}

/** Combinations that mean nothing are refused by field, as upstream's ValidateListOptions does. */
function checkTogether(given: Together): void {
  const errors = new FieldErrors();
  const match = Path.of("resourceVersionMatch");
  if (given.initialEvents !== undefined) checkInitialEvents(given, errors);
  else if (given.match !== "") {
    if (given.watch) errors.forbidden(match, "resourceVersionMatch is forbidden for watch");
    if (given.revisionText === "") {
      errors.forbidden(match, "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (given.continueText !== "") {
      errors.forbidden(match, "resourceVersionMatch is forbidden when continue is provided");
    }
    if (given.match !== "Exact" && given.match !== "NotOlderThan") {
      errors.notSupported(match, given.match, ["Exact", "NotOlderThan", ""]);
    }
    if (given.match === "Exact" && given.revisionText === "0") {
      errors.forbidden(match, `resourceVersionMatch "Exact" is forbidden for resourceVersion "0"`);
    }
  }
  if (!errors.ok) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
}

function checkInitialEvents(given: Together, errors: FieldErrors): void {
  const path = Path.of("sendInitialEvents");
  if (!given.watch) {
    errors.forbidden(path, "sendInitialEvents is forbidden for list");
    return;
  }
  if (given.match === "") {
    errors.forbidden(Path.of("resourceVersionMatch"), "resourceVersionMatch must be set when sendInitialEvents is set");
  } else if (given.match !== "NotOlderThan") {
    errors.notSupported(Path.of("resourceVersionMatch"), given.match, ["NotOlderThan"]);
  }
  if (given.continueText !== "") errors.forbidden(Path.of("continue"), "continue is forbidden for watch");
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
export function readContinue(text: string): Continue {
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
