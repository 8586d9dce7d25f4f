/**
 * The ways in which somebody may be allowed to be somebody else. The old way asks for the identity alone. The constrained
 * ways ask also for what is to be done as that identity, and know what identities there are: nodes, service accounts and
 * others.
 * Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation/{mode,constrained_impersonation}.go; KEP 5284
 */
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import { type ResourceQuestion } from "../../authorize/attributes.ts";
import type { User } from "../../call.ts";
import type { Wanted } from "./wanted.ts";

const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";
const anonymous = "system:anonymous";
/** The group that no right to impersonate leads to. */
export const masters = "system:masters";
const identities = "authentication.k8s.io";

/** One way. */
export interface Mode {
  /** What has to be allowed of the request itself: `impersonate-on:MODE:` before its verb; undefined: nothing. */
  readonly on: string | undefined;
  readonly verb: string;
  /** Group of users, groups, nodes and accounts in questions. */
  readonly group: string;
  /** Whether this is a way to be that. */
  applies(wanted: Wanted, user: User): boolean;
  /** Who is asked about: usually the user. */
  asking?(user: User): User;
  target(wanted: Wanted): Pick<ResourceQuestion, "resource" | "namespace" | "name">;
  /** Groups of who names none. */
  groups(wanted: Wanted): readonly string[];
}

const onlyName = ({ uid, groups, extra }: Wanted) => uid === "" && groups.length === 0 && extra.size === 0;
const nodeGroups = ["system:nodes"];

const constrained = (name: string) => ({
  on: `impersonate-on:${name}:`,
  verb: `impersonate:${name}`,
  group: identities,
});

/** A service account of a pod as the node that the pod is on, whichever that is. */
const associatedNode: Mode = {
  ...constrained("associated-node"),
  applies: (wanted, user) => {
    const node = nodeOf(wanted.name);
    const [own, ...others] = user.extra["authentication.kubernetes.io/node-name"] ?? [];
    return (
      onlyName(wanted) &&
      node !== undefined &&
      accountOf(user.name) !== undefined &&
      own === node &&
      others.length === 0
    );
  },
  // Which node it is says nothing about whether it is allowed.
  asking: (user) => ({
    ...user,
    extra: { "authentication.kubernetes.io/associated-node-keys": Object.keys(user.extra).sort() },
  }),
  target: () => ({ resource: "nodes", name: "*" }),
  groups: () => nodeGroups,
};

const arbitraryNode: Mode = {
  ...constrained("arbitrary-node"),
  applies: (wanted) => onlyName(wanted) && nodeOf(wanted.name) !== undefined,
  target: ({ name }) => ({ resource: "nodes", name: nodeOf(name) ?? "" }),
  groups: () => nodeGroups,
};

const serviceAccount: Mode = {
  ...constrained("serviceaccount"),
  applies: (wanted) => onlyName(wanted) && accountOf(wanted.name) !== undefined,
  target: ({ name }) => ({ resource: "serviceaccounts", ...accountOf(name) }),
  groups: ({ name }) => accountGroups(name),
};

const others: Mode = {
  ...constrained("user-info"),
  applies: ({ name, groups, extra }) =>
    nodeOf(name) === undefined &&
    accountOf(name) === undefined &&
    groups.every((group) => group !== "" && group !== masters) &&
    [...extra].every(([key, values]) => isExtraKey(key) && !values.includes("")),
  target: ({ name }) => ({ resource: "users", name }),
  groups: () => [],
};

const unconstrained: Mode = {
  on: undefined,
  verb: "impersonate",
  group: "",
  applies: () => true,
  target: ({ name }) => {
    const account = accountOf(name);
    return account === undefined ? { resource: "users", name } : { resource: "serviceaccounts", ...account };
  },
  groups: ({ name }) => accountGroups(name),
};

/** In the order in which they are tried. What the last one says is what is told. */
export const modes: readonly Mode[] = [associatedNode, arbitraryNode, serviceAccount, others, unconstrained];

/** Each part of an identity. */
export function* questionsOf(mode: Mode, wanted: Wanted): Generator<ResourceQuestion> {
  const { verb, group } = mode;
  const { uid, groups, extra } = wanted;
  yield { verb, group, version: "v1", ...mode.target(wanted) };
  if (uid !== "") yield { verb, group: identities, version: "v1", resource: "uids", name: uid };
  for (const name of groups) yield { verb, group, version: "v1", resource: "groups", name };
  for (const [key, values] of extra) {
    for (const name of values) {
      yield { verb, group: identities, version: "v1", resource: "userextras", subresource: key, name };
    }
  }
}

/** Groups that were named are all there are, but for the one that says whether somebody is somebody. */
export function asUser(mode: Mode, wanted: Wanted): User {
  const { name, uid, groups, extra } = wanted;
  const given = groups.length === 0 ? mode.groups(wanted) : groups;
  return { name, uid, groups: withStanding(name, given), extra: Object.fromEntries(extra) };
}

function withStanding(name: string, groups: readonly string[]): readonly string[] {
  if (name === anonymous) return groups.includes(unauthenticated) ? groups : [...groups, unauthenticated];
  return groups.includes(authenticated) || groups.includes(unauthenticated) ? groups : [...groups, authenticated];
}

function accountGroups(name: string): readonly string[] {
  const account = accountOf(name);
  return account === undefined ? [] : ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
}

function accountOf(name: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$/.exec(
    name,
  );
  return match === null ? undefined : { namespace: match[1] ?? "", name: match[2] ?? "" };
}

function nodeOf(name: string): string | undefined {
  const node = /^system:node:(.+)$/.exec(name)?.[1];
  return node !== undefined && dns1123SubdomainErrors(node).length === 0 ? node : undefined;
}

/** As acme.com/project, in lower case. */
function isExtraKey(key: string): boolean {
  const slash = key.indexOf("/");
  const domain = key.slice(0, slash);
  return (
    slash > 0 &&
    key === key.toLowerCase() &&
    dns1123SubdomainErrors(domain).length === 0 &&
    /^[\w/\-.~%!$&'()*+,;=:]+$/.test(key.slice(slash + 1))
  );
}
