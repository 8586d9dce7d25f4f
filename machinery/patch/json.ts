/**
 * JSON Patch as the API server takes it: RFC 6902 with the liberties of the library it uses.
 * Source: RFC 6902; github.com/evanphx/json-patch v4 (patch.go);
 * k8s.io/apiserver/pkg/endpoints/handlers/patch.go (limits and error codes)
 */
import { deepEqual } from "../equal.ts";
import { StatusError } from "../status.ts";
import { type Plain, fitsDepth, isPlain, maxDepth, read, refuseDeep, write } from "./plain.ts";

/** Operations in one patch. Source: maxJSONPatchOperations */
export const maxOperations = 10_000;

/** Bytes of JSON that the copy operations of one patch may add. Source: JSONPatchMaxCopyBytes */
export const maxCopyBytes = 3 * 1024 * 1024;

const members: ReadonlySet<string> = new Set(["op", "path", "from", "value"]);

/**
 * Messages for members of operations that mean nothing, for strict decoding.
 * @returns as `json patch unknown field "[0].extra"`
 */
export function unknownMembers(operations: unknown): string[] {
  if (!Array.isArray(operations)) return [];
  return operations.flatMap((operation, i) =>
    isPlain(operation)
      ? Object.keys(operation)
          .filter((member) => !members.has(member))
          .map((member) => `json patch unknown field "[${i}].${member}"`)
      : [],
  );
}

/**
 * Applies a JSON Patch. Indices may be negative and count from the end; a missing value is null; replacing a key that
 * is not there adds it.
 * @param document any JSON value; not changed, and parts of it are shared with the result
 * @param operations the decoded patch
 * @throws {StatusError} BadRequest when the patch is none; RequestEntityTooLarge for too many operations, or
 *   copies that grow too large (upstream says 422 of these); Invalid (422) when an operation cannot be applied or a test
 *   fails; why is in `cause`
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  const patch = new Patch(document);
  for (const operation of checked(operations)) {
    try {
      patch.run(operation);
    } catch (cause) {
      if (!(cause instanceof Unappliable)) throw cause;
      // The client is not told more. Source: apierrors.NewGenericServerResponse for 422
      throw new StatusError("Invalid", "the server rejected our request due to an error in our request", {
        cause,
        details: {},
      });
    }
  }
  return patch.document;
}

/** An operation that does not fit the document. */
class Unappliable extends Error {
  override readonly name: string = "Unappliable";
}

/** A `test` operation found something else: the `cause` of the refusal. */
export class TestFailed extends Unappliable {
  override readonly name = "TestFailed";
}

function checked(operations: unknown): readonly (Plain | null)[] {
  if (operations === null) return [];
  if (!Array.isArray(operations)) throw new StatusError("BadRequest", "error decoding patch: it is not a list");
  if (operations.length > maxOperations) {
    throw new StatusError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    );
  }
  operations.forEach(checkOperation);
  refuseDeep(operations);
  return operations as (Plain | null)[];
}

function checkOperation(operation: unknown, i: number): void {
  if (operation === null) return;
  if (!isPlain(operation)) throw new StatusError("BadRequest", `error decoding patch: [${i}] is not an object`);
  for (const member of ["op", "path", "from"]) {
    const value = read(operation, member) ?? "";
    if (typeof value === "string") continue;
    throw new StatusError("BadRequest", `error decoding patch: [${i}].${member} is not a string`);
  }
}

type Container = Plain | unknown[];

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

/** A document on its way through a patch. Containers are copied the first time they are changed. */
class Patch {
  document: unknown;
  readonly #owned = new Set<Container>();
  #copied = 0;

  constructor(document: unknown) {
    this.document = document;
  }

  run(operation: Plain | null): void {
    const path = member(operation, "path");
    switch (operation?.["op"]) {
      case "add":
        return this.#add(path, operation["value"] ?? null);
      case "remove":
        return void this.#remove(path);
      case "replace":
        return this.#replace(path, operation["value"] ?? null);
      case "move":
        return this.#add(path, this.#remove(member(operation, "from")));
      case "copy":
        return this.#copy(member(operation, "from"), path);
      case "test":
        return this.#test(path, operation["value"] ?? null);
      default:
        throw new Unappliable("unexpected kind of operation");
    }
  }

  #add(path: string, value: unknown): void {
    const { container, key, depth } = this.#place(path);
    if (!fitsDepth(value, maxDepth - depth)) throw new Unappliable(`${path} would be nested too deeply`);
    if (!Array.isArray(container)) write(container, key, value);
    else if (key === "-") container.push(value);
    else container.splice(position(key, container.length + 1), 0, value);
  }

  #remove(path: string): unknown {
    const { container, key } = this.#place(path);
    if (Array.isArray(container)) return container.splice(position(key, container.length), 1)[0];
    if (!Object.hasOwn(container, key)) throw new Unappliable(`nothing to remove at ${path}`);
    const value = container[key];
    delete container[key];
    return value;
  }

  #replace(path: string, value: unknown): void {
    if (path === "") {
      if (!isContainer(value)) throw new Unappliable("a document is replaced by an object or a list only");
      this.document = value;
      return;
    }
    const { container, key, depth } = this.#place(path);
    if (!fitsDepth(value, maxDepth - depth)) throw new Unappliable(`${path} would be nested too deeply`);
    if (Array.isArray(container)) container[position(key, container.length)] = value;
    else write(container, key, value);
  }

  #copy(from: string, path: string): void {
    const { container, key } = this.#find(from);
    const value = child(container, key) ?? null;
    this.#copied += jsonLength(value, maxCopyBytes - this.#copied);
    if (this.#copied > maxCopyBytes) {
      throw new StatusError(
        "RequestEntityTooLarge",
        `The copies of the JSON patch add more than ${maxCopyBytes} bytes`,
      );
    }
    this.#add(path, clone(value));
  }

  #test(path: string, value: unknown): void {
    const { container, key } = path === "" ? { container: { "": this.document }, key: "" } : this.#find(path);
    if (!deepEqual(child(container, key) ?? null, value)) throw new TestFailed(`testing value ${path} failed`);
  }

  /** The container a path ends in, as it is. */
  #find(path: string): { container: Container; key: string; depth: number } {
    const keys = split(path);
    const key = keys.pop() ?? "";
    let container = this.document;
    for (const step of keys) container = child(container, step);
    if (!isContainer(container)) throw new Unappliable(`the document has no ${path}`);
    return { container, key, depth: keys.length + 1 };
  }

  /** The container a path ends in, to be changed: it and those above are copied unless this patch made them. */
  #place(path: string): { container: Container; key: string; depth: number } {
    const keys = split(path);
    const key = keys.pop() ?? "";
    let container = this.#own(this.document, path);
    this.document = container;
    for (const step of keys) {
      const next = this.#own(child(container, step), path);
      if (Array.isArray(container)) container[position(step, container.length)] = next;
      else write(container, step, next);
      container = next;
    }
    return { container, key, depth: keys.length + 1 };
  }

  #own(value: unknown, path: string): Container {
    if (!isContainer(value)) throw new Unappliable(`the document has no ${path}`);
    if (this.#owned.has(value)) return value;
    const copy: Container = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
    this.#owned.add(copy);
    return copy;
  }
}

function member(operation: Plain | null, name: string): string {
  const value = operation === null ? undefined : read(operation, name);
  if (typeof value !== "string") throw new Unappliable(`operation without ${name}`);
  return value;
}

/** Keys of a JSON pointer. What stands before the first slash is not looked at, as upstream. */
function split(path: string): string[] {
  const keys = path.split("/").slice(1);
  if (keys.length === 0) throw new Unappliable(`${JSON.stringify(path)} names nothing in the document`);
  if (keys.length > maxDepth) throw new Unappliable("the path is too deep");
  return keys.map((key) => key.replaceAll(/~[01]/g, (escape) => (escape === "~1" ? "/" : "~")));
}

/** Index in a list of `length`; below 0 it counts from the end. */
function position(key: string, length: number): number {
  const given = /^[+-]?\d{1,15}$/.test(key) ? Number(key) : Number.NaN;
  const index = given < 0 ? given + length : given;
  if (index >= 0 && index < length) return index;
  throw new Unappliable(`unable to access invalid index: ${key}`);
}

/** The value at a key of an object, undefined when there is none; an index must be in the list. */
function child(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return container[position(key, container.length)];
  return isPlain(container) ? read(container, key) : undefined;
}

/** Bytes of a value's JSON, about; stops counting past `limit`. */
function jsonLength(value: unknown, limit: number): number {
  if (typeof value === "string") return value.length + 2;
  if (!isContainer(value)) return String(value).length;
  let length = 2;
  for (const key of Object.keys(value)) {
    if (length > limit) return length;
    if (!Array.isArray(value)) length += key.length + 3;
    length += 1 + jsonLength((value as Plain)[key], limit - length);
  }
  return length;
}

function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  if (!isPlain(value)) return value;
  const copy: Plain = {};
  for (const key of Object.keys(value)) write(copy, key, clone(value[key]));
  return copy;
}
