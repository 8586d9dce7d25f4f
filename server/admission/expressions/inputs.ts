/**
 * What expressions of admission can refer to, for one request.
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/activation.go, condition.go (CreateAdmissionRequest)
 */
import { authorizerValue, requestResourceValue } from "@atoll/machinery/cel/index";
import type { ApiObject } from "@atoll/machinery/object";
import type { Attributes, Matched } from "../matching/attributes.ts";
import type { Versioned } from "../matching/versions.ts";
import type { Asker } from "./asker.ts";

/** A request as expressions see it. */
export interface Inputs {
  readonly attributes: Attributes;
  /** The resource by which it matched, in whose version the objects are. */
  readonly matched: Matched;
  readonly objects: Versioned;
  /** Undefined for what is in no namespace, and for Namespaces. */
  readonly namespace: ApiObject | undefined;
  readonly params: ApiObject | undefined;
  readonly asker: Asker;
  /** The bindings of expressions without variables of their own, once there are any. */
  bindings?: Bindings;
}

/** Bindings of the variables, by name. Those that take work are made when an expression mentions them. */
export type Bindings = Readonly<Record<string, unknown>>;

/** Binds a request's variables. @param variables the policy's own, if it has any */
export function bind(inputs: Inputs, variables?: unknown): Bindings {
  const { objects, namespace, params, asker } = inputs;
  let request: object | undefined;
  return {
    object: objects.object ?? null,
    oldObject: objects.old ?? null,
    namespaceObject: namespace ?? null,
    params: params ?? null,
    variables,
    get request() {
      request ??= requestOf(inputs.attributes, inputs.matched);
      return request;
    },
    get authorizer() {
      return authorizerValue(asker.ask);
    },
    get "authorizer.requestResource"() {
      return requestResourceValue(asker.ask, questionOf(inputs.attributes));
    },
  };
}

/** AdmissionRequest without its objects; what is empty and optional is left out, as in JSON. */
function requestOf(attributes: Attributes, matched: Matched): object {
  const { own, subresource, name, namespace, operation, request } = attributes;
  const { group, version, kind } = matched.kind;
  return {
    kind: { group, version, kind },
    resource: matched.resource,
    ...(subresource === "" ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: { group: own.kind.group, version: own.kind.version, kind: own.kind.kind },
    requestResource: own.resource,
    ...(name === "" ? {} : { name }),
    ...(namespace === "" ? {} : { namespace }),
    operation,
    userInfo: userInfoOf(attributes),
    dryRun: request.dryRun,
    options: request.options ?? null,
  };
}

/** Who asks, as AdmissionRequest has it. */
export function userInfoOf({ request: { user } }: Attributes): object {
  return {
    ...(user.name === "" ? {} : { username: user.name }),
    ...(user.uid === "" ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}

function questionOf({ own: { resource }, subresource, namespace, name }: Attributes) {
  const { group } = resource;
  return { group, resource: resource.resource, subresource, namespace, name, fieldSelector: "", labelSelector: "" };
}
