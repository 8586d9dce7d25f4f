/**
 * What is said of a path that nothing is served at, and of a method that is not served there.
 * Source: k8s.io/apiserver/pkg/server (serviceErrorHandler), k8s.io/apimachinery/pkg/api/errors (NewGenericServerResponse)
 */
import { StatusError } from "@atoll/machinery/status";

/** Nothing is served at this path. */
export function noSuchResource(): StatusError {
  return new StatusError("NotFound", "the server could not find the requested resource", { details: {} });
}

/** Something is served at this path, but not by this method. */
export function noSuchMethod(): StatusError {
  return new StatusError("MethodNotAllowed", "the server does not allow this method on the requested resource", {
    details: {},
  });
}
