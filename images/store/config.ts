/**
 * What an image says about how to run it. Read leniently, as images in the wild are, but for what conversion depends on.
 * Source: OCI image-spec, config.md
 */
import { type Digest, parseDigest } from "../digest.ts";
import { ImageRefused } from "../errors.ts";
import { parseDocument } from "../registry/manifest.ts";

/** An image's defaults for its containers. */
export interface ImageConfig {
  readonly os: string;
  readonly architecture: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value` each. */
  readonly env: readonly string[];
  /** `user`, `user:group`, by name or number; empty for root. */
  readonly user: string;
  readonly workingDir: string;
  /** As written: `SIGTERM`, `TERM` or a number; empty when not said. */
  readonly stopSignal: string;
  /** Paths that want a volume. */
  readonly volumes: readonly string[];
  /** `80/tcp` and the like. */
  readonly exposedPorts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Digests of the expanded layers, lowest first. */
  readonly diffIds: readonly Digest[];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function table(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function labels(value: unknown): Record<string, string> {
  const entries = Object.entries(table(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}

/**
 * @param layers how many layers the manifest has
 * @throws {ImageRefused} Malformed: no JSON, or other diff ids than layers
 */
export function parseConfig(bytes: Buffer, layers: number): ImageConfig {
  const document = parseDocument(bytes, "config");
  const run = table(document["config"]);
  const diffIds = texts(table(document["rootfs"])["diff_ids"]).flatMap((id) => parseDigest(id) ?? []);
  if (diffIds.length !== layers) {
    throw new ImageRefused("Malformed", `config: ${diffIds.length} diff ids for ${layers} layers`);
  }
  return {
    os: text(document["os"]),
    architecture: text(document["architecture"]),
    entrypoint: texts(run["Entrypoint"]),
    cmd: texts(run["Cmd"]),
    env: texts(run["Env"]),
    user: text(run["User"]),
    workingDir: text(run["WorkingDir"]),
    stopSignal: text(run["StopSignal"]),
    volumes: Object.keys(table(run["Volumes"])),
    exposedPorts: Object.keys(table(run["ExposedPorts"])),
    labels: labels(run["Labels"]),
    diffIds,
  };
}
