/**
 * Image names as people write them, and what they mean: `nginx` is `docker.io/library/nginx:latest`.
 * Source: distribution/reference (grammar and normalization); OCI distribution-spec, "Pulling manifests"
 */
import { type Digest, parseDigest } from "../digest.ts";
import { ImagePullFailed } from "../errors.ts";

/** A parsed name; with neither tag nor digest given, the tag is `latest`. */
export interface Reference {
  /** Host and port as written, `docker.io` when left out. */
  readonly registry: string;
  /** Path without host: `library/nginx`. */
  readonly repository: string;
  /** Undefined when only a digest was given. */
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryShape = new RegExp(`^${component}(?:/${component})*$`);
const hostShape =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const tagShape = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const longestName = 255;
const longestText = 1024;

/** The registry that names without a host mean. */
export const defaultRegistry = "docker.io";

function invalid(text: string, why: string): ImagePullFailed {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return new ImagePullFailed("InvalidName", `image name ${shown}: ${why}`);
}

function isHost(first: string): boolean {
  return first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
}

function splitHost(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(0, slash));
  if (slash === -1 || !isHost(first)) return onDefault(name);
  const rest = name.slice(slash + 1);
  return first === "index.docker.io" || first === defaultRegistry
    ? onDefault(rest)
    : { registry: first, repository: rest };
}

function onDefault(path: string): { registry: string; repository: string } {
  return { registry: defaultRegistry, repository: path.includes("/") ? path : `library/${path}` };
}

function splitSuffixes(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const rest = at === -1 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(":");
  if (colon <= rest.lastIndexOf("/")) return { name: rest, tag: undefined, digest };
  return { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}

/** @throws {ImagePullFailed} InvalidName, saying what is wrong */
export function parseReference(text: string): Reference {
  if (text.length > longestText) throw invalid(text, "is too long");
  const { name, tag, digest } = splitSuffixes(text);
  const { registry, repository } = splitHost(name);
  if (!hostShape.test(registry)) throw invalid(text, "has no valid registry host");
  if (repository !== repository.toLowerCase()) throw invalid(text, "must be lower-case");
  if (!repositoryShape.test(repository)) throw invalid(text, "has no valid repository path");
  if (`${registry}/${repository}`.length > longestName) throw invalid(text, `is longer than ${longestName} characters`);
  if (tag !== undefined && !tagShape.test(tag)) throw invalid(text, "has no valid tag");
  const parsed = parseDigest(digest);
  if (digest !== undefined && parsed === undefined) throw invalid(text, "has no valid digest");
  return { registry, repository, tag: tag ?? (parsed === undefined ? "latest" : undefined), digest: parsed };
}

/** Host and path: `docker.io/library/nginx`. */
export function nameOf(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The whole name, normalized. A digest wins over a tag, as it does when pulling. */
export function formatReference(reference: Reference): string {
  if (reference.digest !== undefined) return `${nameOf(reference)}@${reference.digest}`;
  return `${nameOf(reference)}:${reference.tag}`;
}
