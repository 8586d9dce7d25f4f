/**
 * Asking whether the requesting user may do something: `authorizer.group("apps").resource("deployments").check("get")`.
 * Source: k8s.io/apiserver/pkg/cel/library/authz.go
 */
import { type CallCost, characterCost, fixedCost, listCost, ranges, scaled, sizeOf, structCost } from "../cost.ts";
import { method } from "../define.ts";
import type { Library, Overload } from "../library.ts";
import { Boxed, unbox } from "../opaque.ts";
import { boolType, type CelType, opaqueType, stringType } from "../types.ts";
import { CelError, type Value } from "../values.ts";
import { dns1123LabelErrors, dns1123SubdomainErrors } from "../../names.ts";

/** A question to the authorizer. `user` is the service account to ask for; undefined: who made the request. */
export interface AuthorizationQuestion {
  readonly user: { readonly namespace: string; readonly name: string } | undefined;
  readonly verb: string;
  /** A path that is no resource's; then there is no `resource`. */
  readonly path?: string;
  readonly resource?: ResourceQuestion;
}

/** The resource a question is about; parts that were not said are "". */
export interface ResourceQuestion {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

/** The answer; `error` when there could be none. */
export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

/** Answers at once: expressions do not wait. */
export type Authorizer = (question: AuthorizationQuestion) => AuthorizationAnswer;

const nameOf = (kind: string): CelType => opaqueType(`kubernetes.authorization.${kind}`);

/** Type of the variable `authorizer`. */
export const authorizerType = nameOf("Authorizer");
/** Type of the variable `authorizer.requestResource`. */
export const resourceCheckType = nameOf("ResourceCheck");
const pathCheckType = nameOf("PathCheck");
const groupCheckType = nameOf("GroupCheck");
const decisionType = nameOf("Decision");

interface Asker {
  readonly ask: Authorizer;
  readonly user: AuthorizationQuestion["user"];
}

interface PathCheck {
  readonly asker: Asker;
  readonly path: string;
}

interface GroupCheck {
  readonly asker: Asker;
  readonly group: string;
}

interface ResourceCheck {
  readonly asker: Asker;
  readonly resource: ResourceQuestion;
}

/** The value of the variable `authorizer`. */
export const authorizerValue = (ask: Authorizer): Value => new Boxed<Asker>(authorizerType, { ask, user: undefined });

/** The value of the variable `authorizer.requestResource`. */
export const requestResourceValue = (ask: Authorizer, resource: ResourceQuestion): Value =>
  new Boxed<ResourceCheck>(resourceCheckType, { asker: { ask, user: undefined }, resource });

const one = fixedCost(1);
/** Two checks fit into one evaluation. */
const checkCost = fixedCost(350_000);

/** A selector is parsed, and each of its requirements (two characters at least) made. */
const selectorCost: CallCost = {
  run(args, _result, sizes) {
    const size = sizeOf(args[1], sizes);
    return listCost + scaled(size, characterCost) + scaled(size, 0.5) * (listCost + structCost);
  },
  estimate(site) {
    const size = site.size(1);
    const requirements = ranges.scale(ranges.scale(size, 0.5), listCost + structCost);
    return { cost: ranges.add(ranges.add(ranges.exactly(listCost), ranges.scale(size, characterCost)), requirements) };
  },
};

/** A refinement of a resource check. */
function refine(part: keyof ResourceQuestion, id: string, cost: CallCost): Overload {
  return method(id, { of: [resourceCheckType, stringType], to: resourceCheckType, cost }, ([check, value]) => {
    const { asker, resource } = unbox<ResourceCheck>(check);
    return new Boxed<ResourceCheck>(resourceCheckType, { asker, resource: { ...resource, [part]: value as string } });
  });
}

function serviceAccount([authorizer, namespace, name]: readonly Value[]): Value {
  if (dns1123SubdomainErrors(name as string).length > 0) return new CelError("Invalid service account name");
  if (dns1123LabelErrors(namespace as string).length > 0) return new CelError("Invalid service account namespace");
  const user = { namespace: namespace as string, name: name as string };
  return new Boxed<Asker>(authorizerType, { ask: unbox<Asker>(authorizer).ask, user });
}

function checkPath([check, verb]: readonly Value[]): Value {
  const { asker, path } = unbox<PathCheck>(check);
  return new Boxed(decisionType, asker.ask({ user: asker.user, verb: verb as string, path }));
}

function checkResource([check, verb]: readonly Value[]): Value {
  const { asker, resource } = unbox<ResourceCheck>(check);
  return new Boxed(decisionType, asker.ask({ user: asker.user, verb: verb as string, resource }));
}

function toPathCheck([authorizer, path]: readonly Value[]): Value {
  if (path === "") return new CelError("path must not be empty");
  return new Boxed<PathCheck>(pathCheckType, { asker: unbox<Asker>(authorizer), path: path as string });
}

function toResourceCheck([check, resource]: readonly Value[]): Value {
  if (resource === "") return new CelError("resource must not be empty");
  const { asker, group } = unbox<GroupCheck>(check);
  const unsaid = { subresource: "", namespace: "", name: "", fieldSelector: "", labelSelector: "" };
  const asked = { group, resource: resource as string, ...unsaid };
  return new Boxed<ResourceCheck>(resourceCheckType, { asker, resource: asked });
}

const answer = (id: string, to: CelType, get: (answer: AuthorizationAnswer) => Value): Overload =>
  method(id, { of: [decisionType], to, cost: one }, ([decision]) => get(unbox<AuthorizationAnswer>(decision)));

/** The authorizer, with selectors. */
export const authorizer: Library = {
  name: "kubernetes.authz",
  functions: {
    path: [method("authorizer_path", { of: [authorizerType, stringType], to: pathCheckType, cost: one }, toPathCheck)],
    group: [
      method(
        "authorizer_group",
        { of: [authorizerType, stringType], to: groupCheckType, cost: one },
        ([given, group]) =>
          new Boxed<GroupCheck>(groupCheckType, { asker: unbox<Asker>(given), group: group as string }),
      ),
    ],
    serviceAccount: [
      method(
        "authorizer_serviceaccount",
        { of: [authorizerType, stringType, stringType], to: authorizerType, cost: one },
        serviceAccount,
      ),
    ],
    resource: [
      method(
        "groupcheck_resource",
        { of: [groupCheckType, stringType], to: resourceCheckType, cost: one },
        toResourceCheck,
      ),
    ],
    subresource: [refine("subresource", "resourcecheck_subresource", one)],
    namespace: [refine("namespace", "resourcecheck_namespace", one)],
    name: [refine("name", "resourcecheck_name", one)],
    fieldSelector: [refine("fieldSelector", "authorizer_fieldselector", selectorCost)],
    labelSelector: [refine("labelSelector", "authorizer_labelselector", selectorCost)],
    check: [
      method("pathcheck_check", { of: [pathCheckType, stringType], to: decisionType, cost: checkCost }, checkPath),
      method(
        "resourcecheck_check",
        { of: [resourceCheckType, stringType], to: decisionType, cost: checkCost },
        checkResource,
      ),
    ],
    errored: [answer("decision_errored", boolType, ({ error }) => error !== undefined)],
    error: [answer("decision_error", stringType, ({ error }) => error ?? "")],
    allowed: [answer("decision_allowed", boolType, ({ allowed }) => allowed)],
    reason: [answer("decision_reason", stringType, ({ reason }) => reason)],
  },
};
