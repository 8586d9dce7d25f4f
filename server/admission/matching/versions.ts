/** A request's objects in the version that a rule is about. */
import type { Kind } from "@atoll/api/kind";
import type { ApiObject } from "@atoll/machinery/object";
import { fromStored, toStored } from "../../registry/versions.ts";
import type { AdmissionRequest } from "../admission.ts";
import type { Matched } from "./attributes.ts";

/** The objects of a write in one version. */
export interface Versioned {
  readonly object: ApiObject | undefined;
  readonly old: ApiObject | undefined;
}

/** A request's objects in each version asked for, converted once. */
export class Versions {
  readonly #request: AdmissionRequest;
  readonly #known = new Map<Kind, Promise<Versioned>>();

  constructor(request: AdmissionRequest) {
    this.#request = request;
  }

  /** The objects as `matched` has them. Bodies of subresources are the same in all versions. */
  of({ other }: Matched): Versioned | Promise<Versioned> {
    const { object, old } = this.#request;
    if (other === undefined) return { object, old };
    const known = this.#known.get(other);
    if (known !== undefined) return known;
    const converted = this.#convert(other);
    this.#known.set(other, converted);
    return converted;
  }

  async #convert(other: Kind): Promise<Versioned> {
    const { object, old, kind } = this.#request;
    const convert = async (given: ApiObject | undefined): Promise<ApiObject | undefined> =>
      given === undefined || given.kind !== kind.kind ? given : await fromStored(other, await toStored(kind, given));
    return { object: await convert(object), old: await convert(old) };
  }
}

/** An object of the version `matched` has, back in the request's own. */
export async function ownVersion(request: AdmissionRequest, { other }: Matched, object: ApiObject): Promise<ApiObject> {
  if (other === undefined || object.kind !== other.kind) return object;
  return await fromStored(request.kind, await toStored(other, object));
}
