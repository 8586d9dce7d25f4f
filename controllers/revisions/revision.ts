/**
 * ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, kept so that Pods can be told apart by
 * them and `kubectl rollout undo` can go back.
 * Source: k8s.io/kubernetes/pkg/controller/history; k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_utils.go
 */
import type { PodTemplateSpec } from "@atoll/api/builtin/core/v1.types";
import { ControllerRevision } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";
import type { AnyResource } from "@atoll/client/resource";
import { keyOf } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { controllerOf } from "@atoll/runtime/claims";
import { controllerReference } from "@atoll/runtime/children";
import type { Writer } from "@atoll/runtime/writer";
import { hashOf } from "../pods/template.ts";

/** Label of Pods and revisions: which template. */
export const revisionLabel = "controller-revision-hash";

interface RevisionData {
  readonly spec: { readonly template: PodTemplateSpec & { readonly $patch?: string } };
}

/** What a revision keeps of a template: a strategic merge patch that brings it back. */
function dataOf(template: PodTemplateSpec): RevisionData {
  return { spec: { template: { ...template, $patch: "replace" } } };
}

/** The template that a revision keeps. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (data as RevisionData).spec.template;
  return template;
}

/** By number, then by age. */
function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  const age = ({ metadata }: ControllerRevision) => `${metadata.creationTimestamp} ${metadata.name}`;
  return a.revision - b.revision || (age(a) < age(b) ? -1 : 1);
}

/** Whose revision is wanted. */
export interface Wish {
  readonly kind: AnyResource;
  readonly owner: ApiObject;
  readonly template: PodTemplateSpec;
  /** Labels of the revision, by which it is found. */
  readonly labels: Readonly<Record<string, string>>;
  readonly collisionCount: number;
}

/** The revision of a template, and how many names were found taken so far. */
export interface Found {
  readonly revision: ControllerRevision;
  readonly collisionCount: number;
}

/** Finds the revision of a template, gives it the highest number, or makes it. */
export async function ensureRevision(
  wish: Wish,
  revisions: readonly ControllerRevision[],
  client: Writer,
): Promise<Found> {
  const sorted = [...revisions].sort(byRevision);
  const data = dataOf(wish.template);
  const last = sorted.at(-1);
  const equal = sorted.findLast((each) => deepEqual(each.data, data));
  if (equal !== undefined && equal === last) return { revision: equal, collisionCount: wish.collisionCount };
  const next = (last?.revision ?? 0) + 1;
  if (equal !== undefined) {
    return { revision: await client.update({ ...equal, revision: next }), collisionCount: wish.collisionCount };
  }
  return makeRevision(wish, { data, number: next }, client);
}

async function makeRevision(
  wish: Wish,
  { data, number }: { data: RevisionData; number: number },
  client: Writer,
): Promise<Found> {
  for (let collisionCount = wish.collisionCount; ; collisionCount++) {
    const draft = draftOf(wish, { data, number, collisionCount });
    try {
      return { revision: await client.create(ControllerRevision, draft), collisionCount };
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const found = await client.get(ControllerRevision, keyOf(draft));
      const ours = controllerOf(found)?.uid === wish.owner.metadata.uid;
      if (ours && deepEqual(found.data, data)) return { revision: found, collisionCount };
    }
  }
}

function draftOf(
  { kind, owner, template, labels }: Wish,
  { data, number, collisionCount }: { data: RevisionData; number: number; collisionCount: number },
): Given<ControllerRevision> {
  const hash = hashOf(template, collisionCount);
  const { name = "", namespace } = owner.metadata;
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace !== undefined && { namespace }),
      labels: { ...labels, [revisionLabel]: hash },
      ownerReferences: [controllerReference(kind, owner.metadata)],
    },
    data,
    revision: number,
  };
}

/** Revisions beyond those that are kept to go back to, the oldest first. `live` are those in use. */
export function surplusRevisions(
  revisions: readonly ControllerRevision[],
  live: ReadonlySet<string>,
  limit: number,
): readonly ControllerRevision[] {
  const idle = [...revisions].sort(byRevision).filter(({ metadata }) => !live.has(metadata.name ?? ""));
  return idle.slice(0, Math.max(0, idle.length - limit));
}
