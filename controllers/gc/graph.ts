/**
 * Who owns whom, over all objects: what the garbage collector knows of the world. Pure: it is told what was seen, and
 * tells which objects that makes worth a look.
 *
 * A node is virtual while only references to it were seen: it may not exist, or not be what they say. The same uid may be
 * referred to by several coordinates (a wrong kind, another namespace); those are tried one by one until one is found to
 * exist or all are found absent.
 *
 * Source: k8s.io/kubernetes/pkg/controller/garbagecollector/graph_builder.go
 */
import type { ObjectMeta, OwnerReference } from "@atoll/machinery/object";

/** Where an object is. `namespace` is "" for none, or when a reference cannot say. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Keeps an owner until its blocking dependents are gone. */
export const foregroundFinalizer = "foregroundDeletion";
/** Keeps an owner until its dependents no longer refer to it. */
export const orphanFinalizer = "orphan";

/** One object, or what references say is one. */
export interface Node {
  identity: Identity;
  owners: readonly OwnerReference[];
  readonly dependents: Set<Node>;
  virtual: boolean;
  beingDeleted: boolean;
  /** Being deleted, and waits for its dependents to go. */
  deletingDependents: boolean;
  /** Being deleted, and its dependents are to stay. */
  orphaning: boolean;
}

/** Takes what a change makes worth a look. */
export interface Effects {
  /** Look whether this node should be deleted, or may go on being deleted. */
  look(uid: string): void;
  /** The same, but not at once: it is a guess. */
  lookLater(uid: string): void;
  /** Free the node's dependents, then let it go. */
  orphan(uid: string): void;
  /** There is certainly nothing there. */
  absent(identity: Identity): void;
  /** A reference into another namespace. */
  invalidNamespace(node: Node, reference: OwnerReference): void;
}

/** Which object a reference names. */
export interface Seen {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

function identityOf({ apiVersion, kind, metadata: { namespace = "", name = "", uid = "" } }: Seen): Identity {
  return { apiVersion, kind, namespace, name, uid };
}

function matches(reference: OwnerReference, identity: Identity): boolean {
  const { apiVersion, kind, name, uid } = identity;
  return (
    reference.uid === uid && reference.name === name && reference.kind === kind && reference.apiVersion === apiVersion
  );
}

/** One line that tells identities apart. */
export function spellIdentity({ apiVersion, kind, namespace, name, uid }: Identity): string {
  return `${apiVersion}|${kind}|${namespace}|${name}|${uid}`;
}

function isBlocking(reference: OwnerReference | undefined): boolean {
  return reference?.blockOwnerDeletion === true;
}

/** The graph. Methods that change it tell their effects before they return. */
export class Graph {
  readonly #nodes = new Map<string, Node>();
  readonly #effects: Effects;

  constructor(effects: Effects) {
    this.#effects = effects;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid);
  }

  /** An object was seen, new or changed. */
  observe(object: Seen): void {
    const identity = identityOf(object);
    const { ownerReferences: owners = [] } = object.metadata;
    const found = this.#nodes.get(identity.uid);
    if (found === undefined) {
      const node = freshNode(identity, { owners, virtual: false });
      this.#nodes.set(identity.uid, node);
      this.#join(node, owners);
      return this.#follow(node, object.metadata);
    }
    if (found.virtual) this.#confirm(found, identity);
    found.identity = identity;
    this.#setOwners(found, owners);
    this.#follow(found, object.metadata);
  }

  /** An object was seen to be gone. */
  remove(object: Seen): void {
    const node = this.#nodes.get(object.metadata.uid ?? "");
    if (node !== undefined) this.#drop(node, identityOf(object));
  }

  /** The API has nothing of this uid where the identity says. */
  absent(identity: Identity): void {
    const node = this.#nodes.get(identity.uid);
    if (node === undefined) return;
    const same = spellIdentity(node.identity) === spellIdentity(identity);
    const { matching, others } = partition(node, identity);
    if (node.virtual && others.length === 0) return this.#drop(node, identity);
    if (!node.virtual && same) return this.#drop(node, identity);
    // The node stays: it may be elsewhere. Those who meant this place are dangling.
    if (matching.length > 0) {
      this.#effects.absent(identity);
      for (const dependent of matching) this.#effects.look(dependent.identity.uid);
    }
    if (node.virtual && same) this.#tryElsewhere(node, { others, absent: identity });
  }

  /** Dependents that hold up the deletion of a node. */
  blocking(node: Node): readonly Node[] {
    return [...node.dependents].filter((dependent) =>
      dependent.owners.some((owner) => owner.uid === node.identity.uid && isBlocking(owner)),
    );
  }

  #tryElsewhere(node: Node, { others, absent }: { others: readonly Node[]; absent: Identity }): void {
    const next = otherIdentity(others, absent);
    if (next === undefined) return;
    node.identity = next;
    this.#effects.lookLater(next.uid);
  }

  #drop(node: Node, identity: Identity): void {
    const { uid } = node.identity;
    this.#nodes.delete(uid);
    this.#leave(node, node.owners);
    if (node.dependents.size > 0) this.#effects.absent(identity);
    for (const dependent of node.dependents) this.#effects.look(dependent.identity.uid);
    for (const owner of node.owners) {
      if (this.#nodes.get(owner.uid)?.deletingDependents === true) this.#effects.look(owner.uid);
    }
  }

  /** A virtual node turns out to exist. Dependents that meant something else are to be checked. */
  #confirm(node: Node, identity: Identity): void {
    node.virtual = false;
    if (spellIdentity(node.identity) === spellIdentity(identity)) return;
    for (const dependent of partition(node, identity).others) {
      if (identity.namespace !== "" && dependent.identity.namespace !== identity.namespace) {
        const reference = dependent.owners.find((owner) => owner.uid === identity.uid);
        if (reference !== undefined) this.#effects.invalidNamespace(dependent, reference);
      }
      this.#effects.look(dependent.identity.uid);
    }
  }

  #setOwners(node: Node, owners: readonly OwnerReference[]): void {
    const before = new Map(node.owners.map((owner) => [owner.uid, owner]));
    const after = new Map(owners.map((owner) => [owner.uid, owner]));
    const removed = node.owners.filter((owner) => !after.has(owner.uid));
    const added = owners.filter((owner) => !before.has(owner.uid));
    node.owners = owners;
    for (const old of before.values()) {
      if (isBlocking(old) && !isBlocking(after.get(old.uid)) && this.#nodes.has(old.uid)) this.#effects.look(old.uid);
    }
    this.#join(node, added);
    this.#leave(node, removed);
  }

  /** Enters a node among the dependents of its owners; owners not seen yet become virtual nodes. */
  #join(node: Node, owners: readonly OwnerReference[]): void {
    let doubtful = false;
    for (const reference of owners) {
      const owner = this.#nodes.get(reference.uid);
      if (owner === undefined) this.#addVirtual(node, reference);
      else {
        owner.dependents.add(node);
        doubtful = this.#isDoubtful(node, { reference, owner }) || doubtful;
      }
    }
    if (doubtful) this.#effects.look(node.identity.uid);
  }

  #addVirtual(dependent: Node, { apiVersion, kind, name, uid }: OwnerReference): void {
    const identity = { apiVersion, kind, namespace: dependent.identity.namespace, name, uid };
    const owner = freshNode(identity, { owners: [], virtual: true });
    owner.dependents.add(dependent);
    this.#nodes.set(uid, owner);
    this.#effects.look(uid);
  }

  /** Whether a reference may not mean the node that has its uid. */
  #isDoubtful(node: Node, { reference, owner }: { reference: OwnerReference; owner: Node }): boolean {
    const { namespace } = owner.identity;
    const elsewhere = namespace !== node.identity.namespace;
    if (namespace !== "" && elsewhere) {
      if (!owner.virtual) this.#effects.invalidNamespace(node, reference);
      return true;
    }
    return !matches(reference, owner.identity) || (elsewhere && owner.virtual);
  }

  #leave(node: Node, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) this.#nodes.get(uid)?.dependents.delete(node);
  }

  /** Notices when a deletion begins to wait for something. */
  #follow(node: Node, { deletionTimestamp, finalizers = [] }: ObjectMeta): void {
    const { orphaning, deletingDependents } = node;
    const { uid } = node.identity;
    node.beingDeleted = deletionTimestamp !== undefined;
    node.orphaning = node.beingDeleted && finalizers.includes(orphanFinalizer);
    node.deletingDependents = node.beingDeleted && finalizers.includes(foregroundFinalizer);
    if (node.orphaning && !orphaning) return this.#effects.orphan(uid);
    if (!node.deletingDependents || deletingDependents) return;
    for (const dependent of node.dependents) this.#effects.look(dependent.identity.uid);
    this.#effects.look(uid);
  }
}

function freshNode(
  identity: Identity,
  { owners, virtual }: { owners: readonly OwnerReference[]; virtual: boolean },
): Node {
  const dependents = new Set<Node>();
  return { identity, owners, dependents, virtual, beingDeleted: false, deletingDependents: false, orphaning: false };
}

/** Dependents whose references mean this identity, and those that mean another with its uid; one may be both. */
function partition(node: Node, identity: Identity): { matching: readonly Node[]; others: readonly Node[] } {
  const matching: Node[] = [];
  const others: Node[] = [];
  for (const dependent of node.dependents) {
    const elsewhere = identity.namespace !== "" && identity.namespace !== dependent.identity.namespace;
    const references = dependent.owners.filter((owner) => owner.uid === identity.uid);
    const means = (reference: OwnerReference) => !elsewhere && matches(reference, identity);
    if (references.some(means)) matching.push(dependent);
    if (elsewhere || !references.every(means)) others.push(dependent);
  }
  return { matching, others };
}

const orderOf = ({ apiVersion, kind, namespace, name, uid }: Identity) =>
  [kind, apiVersion, namespace, name, uid].join("\0");

/** The identity to try next: the one that follows the absent one in a fixed round over all that dependents mean. */
function otherIdentity(dependents: readonly Node[], absent: Identity): Identity | undefined {
  const clusterWide = absent.namespace === "";
  const candidates = dependents.flatMap((dependent) =>
    dependent.owners
      .filter((owner) => owner.uid === absent.uid)
      .map(({ apiVersion, kind, name, uid }): Identity => {
        const known = clusterWide && apiVersion === absent.apiVersion && kind === absent.kind;
        return { apiVersion, kind, name, uid, namespace: known ? "" : dependent.identity.namespace };
      }),
  );
  const different = candidates.filter((identity) => orderOf(identity) !== orderOf(absent));
  const sorted = different.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return sorted.find((identity) => orderOf(identity) > orderOf(absent)) ?? sorted[0];
}
