/**
 * /api, /apis and what is below them: which groups, versions and kinds are served, in the plain and the aggregated form.
 * Documents are made when first asked for after a change, and kept as bytes.
 */
import type { IncomingMessage } from "node:http";
import { aggregatedCore, aggregatedGroups, aggregatedType, entityTag } from "../discovery/aggregated.ts";
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from "../discovery/documents.ts";
import { type RemoteVersion, type ServedGroup, servedGroups } from "../discovery/groups.ts";
import type { Exchange, Stage } from "../exchange.ts";
import { negotiate } from "../http/negotiate.ts";
import { noSuchMethod } from "../refusals.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { type Reply } from "../reply.ts";
import { answerValue } from "../verbs/answer.ts";

/** Versions that other servers serve. The generation rises whenever they change. */
export interface RemoteVersions {
  readonly generation: number;
  versions(): readonly RemoteVersion[];
}

/** The groups as of one generation of the catalogue. */
class Groups {
  readonly #catalogue: Catalogue;
  readonly #remotes: RemoteVersions;
  #generation = "";
  #groups: readonly ServedGroup[] = [];
  #documents = new Map<string, { body: string; tag: string }>();

  constructor(catalogue: Catalogue, remotes: RemoteVersions) {
    this.#catalogue = catalogue;
    this.#remotes = remotes;
  }

  get all(): readonly ServedGroup[] {
    const generation = `${this.#catalogue.generation} ${this.#remotes.generation}`;
    if (this.#generation !== generation) {
      this.#generation = generation;
      this.#groups = servedGroups(this.#catalogue.kinds(), this.#remotes.versions());
      this.#documents = new Map();
    }
    return this.#groups;
  }

  /** An aggregated document and its tag. */
  aggregated(path: "/api" | "/apis"): { body: string; tag: string } {
    const groups = this.all;
    let document = this.#documents.get(path);
    if (document === undefined) {
      const body = JSON.stringify(path === "/api" ? aggregatedCore(groups) : aggregatedGroups(groups));
      this.#documents.set(path, (document = { body, tag: entityTag(body) }));
    }
    return document;
  }
}

export function discovery(catalogue: Catalogue, remotes: RemoteVersions): Stage {
  const groups = new Groups(catalogue, remotes);
  return (exchange) => {
    const { path } = exchange.info;
    if (path !== "/api" && path !== "/apis" && !path.startsWith("/api/") && !path.startsWith("/apis/"))
      return undefined;
    const segments = path.split("/").filter((segment) => segment !== "");
    const document = plainDocument(exchange, groups, segments);
    if (document === undefined) return undefined;
    if (exchange.info.method !== "GET" && exchange.info.method !== "HEAD") throw noSuchMethod();
    if (segments.length === 1) return topLevel(exchange, groups, document);
    return answerValue(negotiate(exchange.request.headers.accept, false), 200, document);
  };
}

function plainDocument({ request }: Exchange, groups: Groups, segments: readonly string[]): unknown {
  const [root, first, second, more] = segments;
  if (root === "api") {
    if (first === undefined) return apiVersions(request.headers.host ?? "");
    return second === undefined ? versionDocument(groups, "", first) : undefined;
  }
  if (first === undefined) return apiGroupList(groups.all);
  if (second === undefined) {
    const group = groups.all.find(({ name }) => name === first);
    return group === undefined ? undefined : apiGroup(group);
  }
  return more === undefined ? versionDocument(groups, first, second) : undefined;
}

function versionDocument(groups: Groups, group: string, version: string): unknown {
  const versions = groups.all.find(({ name }) => name === group)?.versions ?? [];
  const served = versions.find((candidate) => candidate.version === version);
  return served === undefined ? undefined : apiResourceList(group, served);
}

/** /api and /apis have an aggregated form, which kubectl asks for first. */
function topLevel({ request, info }: Exchange, groups: Groups, document: unknown): Reply {
  const accept = request.headers.accept ?? "";
  if (!wantsAggregated(accept)) return answerValue(negotiate(accept, false), 200, document);
  const { body, tag } = groups.aggregated(info.path.startsWith("/apis") ? "/apis" : "/api");
  const headers = { etag: tag, vary: "Accept", "cache-control": "public" };
  if (matches(request, tag)) return { code: 304, contentType: aggregatedMedia, body: Buffer.alloc(0), headers };
  return { code: 200, contentType: aggregatedMedia, body: Buffer.from(body), headers };
}

const { group, version, as } = aggregatedType;
const aggregatedMedia = `application/json;g=${group};v=${version};as=${as}`;

/** Whether the first clause of Accept that can be served is the aggregated form. */
function wantsAggregated(accept: string): boolean {
  for (const clause of accept.split(",")) {
    const [media = "", ...parameters] = clause.split(";").map((part) => part.trim());
    if (media !== "application/json" && media !== "*/*" && media !== "application/*" && media !== "application/yaml")
      continue;
    const given = new Set(parameters);
    if (given.has(`as=${as}`)) {
      if (given.has(`g=${group}`) && given.has(`v=${version}`)) return true;
    } else return false;
  }
  return false;
}

function matches(request: IncomingMessage, tag: string): boolean {
  return request.headers["if-none-match"] === tag;
}
