/**
 * Which credentials go with which image: pull secrets in Docker's configuration formats. Beside them a pull secret may say who
 * vouches for the registry's certificate, so that who may name a private registry need not ask each host's administrator.
 * Source: kubernetes pkg/credentialprovider (keyring.go: matching by host glob, port and path prefix, most specific first)
 */
import { nameOf, type Reference } from "./reference.ts";

/** A way to identify to a registry. */
export interface Credential {
  readonly username: string;
  readonly password: string;
  /** A refresh token that stands for user and password. */
  readonly identityToken?: string;
}

/** Credentials by the place they are for, most specific first. */
export interface Keyring {
  /** Those to try for an image, in order. */
  lookup(reference: Reference): Credential[];
  /**
   * Who vouches for the image's registry beside whom the host trusts, PEM; for images by digest alone: what a tag stands for
   * is told to all pods of a host alike, so no pod's secret may have a say in that.
   */
  authority(reference: Reference): string | undefined;
}

/** What a pull secret holds. */
export interface PullSecret {
  /** Content of its `.dockerconfigjson` or `.dockercfg`. */
  readonly config: string;
  /** Content of its `ca.crt`: PEM. */
  readonly authority?: string | undefined;
}

/** A keyring with nothing on it. */
export const emptyKeyring: Keyring = { lookup: () => [], authority: () => undefined };

interface Held {
  readonly place: string;
  readonly credential: Credential | undefined;
  readonly authority: string | undefined;
}

const dockerHosts = new Set(["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/** A configuration's key without scheme and API version, Docker's own names made one. */
function placeOf(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/+$/, "");
  const [host = "", ...path] = bare.split("/");
  return [dockerHosts.has(host) ? "docker.io" : host, ...path].join("/");
}

function hostMatches(pattern: string, host: string): boolean {
  const patternParts = pattern.split(".");
  const parts = host.split(".");
  return (
    patternParts.length === parts.length && patternParts.every((part, index) => globMatches(part, parts[index] ?? ""))
  );
}

/** `*` stands for any run of characters of one label. Linear: tries each piece once, from the left. */
function globMatches(pattern: string, text: string): boolean {
  const pieces = pattern.split("*");
  if (pieces.length === 1) return pattern === text;
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

function matches(place: string, image: string): boolean {
  const [hostPort = "", ...path] = place.split("/");
  const [imageHostPort = "", ...imagePath] = image.split("/");
  const [host = "", port = ""] = hostPort.split(":");
  const [imageHost = "", imagePort = ""] = imageHostPort.split(":");
  if (port !== imagePort || !hostMatches(host, imageHost)) return false;
  return path.length === 0 || imagePath.join("/").startsWith(path.join("/"));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function credentialOf(entry: unknown): Credential | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const fields = entry as Record<string, unknown>;
  const decoded = Buffer.from(text(fields["auth"]), "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = colon > 0 ? decoded.slice(0, colon) : text(fields["username"]);
  // Docker pads passwords of old configurations with NULs.
  const password = colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, "") : text(fields["password"]);
  const identityToken = text(fields["identitytoken"]);
  if (identityToken !== "") return { username, password, identityToken };
  return username === "" ? undefined : { username, password };
}

function entriesOf({ config, authority }: PullSecret): Held[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(config);
  } catch {
    return [];
  }
  if (typeof parsed !== "object" || parsed === null) return [];
  // `.dockercfg` is the inside of `auths`.
  const table = "auths" in parsed ? parsed.auths : parsed;
  if (typeof table !== "object" || table === null) return [];
  return Object.entries(table).map(([key, entry]) => ({
    place: placeOf(key),
    credential: credentialOf(entry),
    authority,
  }));
}

/**
 * A keyring of pull secrets.
 * @param secrets what cannot be read of them is passed over
 */
export function keyringOf(secrets: readonly PullSecret[]): Keyring {
  const held = secrets.flatMap(entriesOf);
  const ordered = held.sort((a, b) => Number(a.place < b.place) - Number(a.place > b.place));
  const fitting = (reference: Reference) => ordered.filter(({ place }) => matches(place, nameOf(reference)));
  return {
    lookup: (reference) =>
      fitting(reference).flatMap(({ credential }) => (credential === undefined ? [] : [credential])),
    authority: (reference) => {
      if (reference.digest === undefined) return undefined;
      return fitting(reference).find(({ authority }) => authority !== undefined)?.authority;
    },
  };
}
