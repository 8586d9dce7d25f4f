/**
 * What is in the volumes that the API fills: configMap, secret, downwardAPI, projected. Pure.
 * Sources: k8s.io/kubernetes/pkg/volume (configmap, secret, downwardapi, projected: MakePayload, CollectData)
 */
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { Sources } from "../translate/environment.ts";
import { containerNamed, fieldOf, type NodeFacts, resourceOf } from "../translate/fields.ts";

/** One file of a volume. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A volume that cannot be filled; the message is what the kubelet's event says of it. */
export class VolumeUnfilled extends Error {
  override readonly name = "VolumeUnfilled";
  /** When to try again, if not after the usual time. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What volumes are filled from. */
export interface FillSight {
  readonly pod: Pod;
  readonly sources: Sources;
  readonly facts: NodeFacts;
  /** Token of a projection; undefined while there is none. */
  token(projection: ServiceAccountTokenProjection): string | undefined;
}

const usualMode = 0o644;
const tokenMode = 0o600;

/** Whether a volume's files come from the API. */
export function isFilled({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return [configMap, secret, downwardAPI, projected].some((source) => source !== undefined);
}

/**
 * The files of a volume, with the Pod's fsGroup applied.
 * @throws {VolumeUnfilled} something it needs is not there @throws {CannotStart} a field that does not exist
 */
export function filesOf(volume: Volume, sight: FillSight): readonly VolumeFile[] {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return shared(sight, fromConfigMap(sight, configMap, modeOf(configMap)));
  if (secret !== undefined) {
    return shared(sight, fromSecret(sight, { ...secret, name: secret.secretName ?? "" }, modeOf(secret)));
  }
  if (downwardAPI !== undefined) return shared(sight, fromDownward(sight, downwardAPI.items, modeOf(downwardAPI)));
  const mode = modeOf(projected ?? {});
  return shared(
    sight,
    (projected?.sources ?? []).flatMap((source) => fromProjection(sight, source, mode)),
  );
}

const modeOf = ({ defaultMode }: { readonly defaultMode?: number }): number => defaultMode ?? usualMode;

/** A group that owns the volume can read it. Source: pkg/volume/volume_linux.go (SetVolumeOwnership, read-only mask) */
function shared({ pod }: FillSight, files: readonly VolumeFile[]): readonly VolumeFile[] {
  const fsGroup = pod.spec.securityContext?.fsGroup;
  if (fsGroup === undefined) return files;
  return files.map((file) => ({ ...file, gid: fsGroup, mode: file.mode | 0o440 }));
}

function fromProjection(sight: FillSight, source: VolumeProjection, mode: number): readonly VolumeFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap !== undefined) return fromConfigMap(sight, configMap, mode);
  if (secret !== undefined) return fromSecret(sight, secret, mode);
  if (downwardAPI !== undefined) return fromDownward(sight, downwardAPI.items, mode);
  if (serviceAccountToken !== undefined) return fromToken(sight, serviceAccountToken, mode);
  return [];
}

interface Selected {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

function fromConfigMap({ pod, sources }: FillSight, wanted: Selected, mode: number): readonly VolumeFile[] {
  const { name = "", optional = false } = wanted;
  const found = sources.configMap(name);
  if (found === undefined && !optional) throw new VolumeUnfilled(`configmap "${name}" not found`);
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(base64, "base64"));
  return select(data, wanted, { mode, what: `configmap "${name}"`, pod });
}

function fromSecret({ pod, sources }: FillSight, wanted: Selected, mode: number): readonly VolumeFile[] {
  const { name = "", optional = false } = wanted;
  const found = sources.secret(name);
  if (found === undefined && !optional) throw new VolumeUnfilled(`secret "${name}" not found`);
  const data = Object.entries(found?.data ?? {}).map(([key, base64]): [string, Uint8Array] => {
    return [key, Buffer.from(base64, "base64")];
  });
  return select(new Map(data), wanted, { mode, what: `secret "${name}"`, pod });
}

function select(
  data: ReadonlyMap<string, Uint8Array>,
  { items, optional = false }: Selected,
  { mode, what }: { mode: number; what: string; pod: Pod },
): readonly VolumeFile[] {
  if (items === undefined || items.length === 0) {
    return [...data].map(([path, content]) => ({ path, content, mode }));
  }
  return items.flatMap((item) => {
    const content = data.get(item.key);
    if (content !== undefined) return [{ path: item.path, content, mode: item.mode ?? mode }];
    if (optional) return [];
    throw new VolumeUnfilled(`${what} references non-existent key: ${item.key}`);
  });
}

function fromDownward(
  { pod, facts }: FillSight,
  items: readonly DownwardAPIVolumeFile[] = [],
  mode: number,
): readonly VolumeFile[] {
  return items.map(({ path, fieldRef, resourceFieldRef, mode: own }) => {
    const value =
      resourceFieldRef === undefined
        ? fieldOf(pod, fieldRef?.fieldPath ?? "", facts)
        : resourceOf(containerNamed(pod, resourceFieldRef.containerName ?? ""), resourceFieldRef, facts);
    return { path, content: Buffer.from(value), mode: own ?? mode };
  });
}

/** Only who runs the Pod's containers may read the token. */
function fromToken(sight: FillSight, projection: ServiceAccountTokenProjection, mode: number): readonly VolumeFile[] {
  const token = sight.token(projection);
  if (token === undefined) throw new VolumeUnfilled("failed to fetch token");
  const { fsGroup } = sight.pod.spec.securityContext ?? {};
  const uid = commonUser(sight.pod);
  const isOwned = fsGroup !== undefined || uid !== undefined;
  const file = { path: projection.path, content: Buffer.from(token), mode: isOwned ? tokenMode : mode };
  return [uid === undefined ? file : { ...file, uid }];
}

/** The user that all containers run as, if the Pod says so. */
function commonUser({ spec }: Pod): number | undefined {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const users = new Set(
    containers.map(({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser),
  );
  const [first] = users;
  return users.size === 1 ? first : undefined;
}
