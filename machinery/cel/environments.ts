/**
 * What expressions can refer to in the places where Kubernetes runs them, besides validation rules.
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/compile.go, pkg/authentication/cel/compile.go
 */
import type { Declaration } from "./declaration.ts";
import { authorizerType, resourceCheckType } from "./libraries/authorizer.ts";
import { declare, declareDynamic, declareObject } from "./schema.ts";
import {
  boolType,
  type CelType,
  dynType,
  intType,
  listOf,
  mapOf,
  objectType,
  stringType,
  timestampType,
} from "./types.ts";

const text = stringType;
const texts = listOf(text);

const groupVersionKind = objectType("kubernetes.GroupVersionKind", { group: text, version: text, kind: text });
const groupVersionResource = objectType("kubernetes.GroupVersionResource", {
  group: text,
  version: text,
  resource: text,
});

/** Who makes a request: username, uid, groups, extra. */
const userInfoType = objectType("kubernetes.UserInfo", {
  username: text,
  uid: text,
  groups: texts,
  extra: mapOf(text, texts),
});

/** The variable `request` of admission: AdmissionRequest without its objects. */
const admissionRequestType = objectType("kubernetes.AdmissionRequest", {
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: text,
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: text,
  name: text,
  namespace: text,
  operation: text,
  userInfo: userInfoType,
  dryRun: boolType,
  options: dynType,
});

/** The variable `namespaceObject` of admission. Upstream spells uid `UID`, where no namespace has it. */
const namespaceType = objectType("kubernetes.Namespace", {
  metadata: objectType("kubernetes.NamespaceMetadata", {
    name: text,
    generateName: text,
    namespace: text,
    labels: mapOf(text, text),
    annotations: mapOf(text, text),
    UID: text,
    creationTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    deletionTimestamp: timestampType,
    generation: intType,
    resourceVersion: text,
    finalizers: texts,
  }),
  spec: objectType("kubernetes.NamespaceSpec", { finalizers: texts }),
  status: objectType("kubernetes.NamespaceStatus", {
    conditions: listOf(
      objectType("kubernetes.NamespaceCondition", {
        status: text,
        type: text,
        lastTransitionTime: timestampType,
        message: text,
        reason: text,
      }),
    ),
    phase: text,
  }),
});

/** Null, too: what is in no namespace has none. */
function nullable(declaration: Declaration): Declaration {
  return { ...declaration, adapt: (json) => (json === null ? null : declaration.adapt(json)) };
}

/** What admission expressions may have besides the objects and the request. */
export interface AdmissionOptions {
  /** `params`: the policy names a parameter kind. */
  readonly params?: boolean;
  /** `authorizer` and `authorizer.requestResource`. */
  readonly authorizer?: boolean;
  /** `variables`: the types of those composed before the expression. Absent: the place has none. */
  readonly variables?: Readonly<Record<string, CelType>>;
}

/** Variables of validating and mutating policies, and of match conditions. Objects are untyped. */
export function admissionVariables(options: AdmissionOptions = {}): Record<string, Declaration> {
  const variables: Record<string, Declaration> = {
    object: declareDynamic(),
    oldObject: declareDynamic(),
    request: declare(admissionRequestType),
    namespaceObject: nullable(declare(namespaceType)),
  };
  if (options.params === true) variables["params"] = declareDynamic();
  if (options.authorizer === true) {
    variables["authorizer"] = declare(authorizerType);
    variables["authorizer.requestResource"] = declare(resourceCheckType);
  }
  if (options.variables !== undefined) {
    variables["variables"] = declareObject("kubernetes.variables", options.variables);
  }
  return variables;
}

/** `claims`: of an ID token, in the claim mappings and rules of an authentication configuration. */
export const claimsVariables = (): Record<string, Declaration> => ({ claims: declare(mapOf(text, dynType)) });

/** `user`: what a token was mapped to, in the user validation rules of an authentication configuration. */
export const userVariables = (): Record<string, Declaration> => ({ user: declare(userInfoType) });

const requirementType = objectType("kubernetes.SelectorRequirement", { key: text, operator: text, values: texts });
const selectorFields = { rawSelector: text, requirements: listOf(requirementType) };

/** `request`: the spec of a SubjectAccessReview, in the match conditions of an authorization webhook. */
const accessReviewType = objectType("kubernetes.SubjectAccessReviewSpec", {
  resourceAttributes: objectType("kubernetes.ResourceAttributes", {
    namespace: text,
    verb: text,
    group: text,
    version: text,
    resource: text,
    subresource: text,
    name: text,
    fieldSelector: objectType("kubernetes.FieldSelectorAttributes", selectorFields),
    labelSelector: objectType("kubernetes.LabelSelectorAttributes", selectorFields),
  }),
  nonResourceAttributes: objectType("kubernetes.NonResourceAttributes", { path: text, verb: text }),
  user: text,
  groups: texts,
  extra: mapOf(text, texts),
  uid: text,
});

/** The variables of such match conditions. */
export const accessReviewVariables = (): Record<string, Declaration> => ({ request: declare(accessReviewType) });
