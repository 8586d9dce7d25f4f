/** The namespaces of requests, for selectors and expressions. */
import type { ApiObject } from "@atoll/machinery/object";
import type { Catalogue } from "../../registry/catalogue.ts";
import type { Attributes } from "./attributes.ts";

export class Namespaces {
  readonly #catalogue: Catalogue;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /**
   * The Namespace a request is in; for a Namespace being written, itself as it is to be; undefined for what is in none.
   * @throws {StatusError} NotFound
   */
  around({ namespace, own, subresource, operation, request }: Attributes): ApiObject | undefined | Promise<ApiObject> {
    if (namespace === "") return undefined;
    const isNamespace = own.resource.group === "" && own.resource.resource === "namespaces";
    if (isNamespace && subresource === "" && operation !== "DELETE" && request.object !== undefined) {
      return request.object;
    }
    return this.#get(namespace);
  }

  #get(name: string): ApiObject | Promise<ApiObject> {
    const namespaces = this.#catalogue.resource("", "namespaces");
    if (namespaces === undefined) throw new TypeError("namespaces are not served");
    const entry = namespaces.cache.get(namespaces.key("", name));
    if (entry !== undefined) return namespaces.cache.object(entry);
    // Another server may just have made it.
    return namespaces.get("", name).then((found) => namespaces.cache.object(found));
  }
}
