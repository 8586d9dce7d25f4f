/**
 * Custom objects from one version of their kind to another: by saying the other version, or by asking a webhook.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/conversion
 */
import type { ApiObject } from "@atoll/machinery/object";

/** Converts objects of one kind. May return the object it was given, changed. */
export interface Converter {
  /**
   * @param apiVersion the version to convert to
   * @throws {StatusError} InternalError
   */
  convert(object: ApiObject, apiVersion: string): ApiObject | Promise<ApiObject>;
}

/** Versions have the same fields. */
export const nameConverter: Converter = {
  convert(object, apiVersion) {
    object.apiVersion = apiVersion;
    return object;
  },
};
