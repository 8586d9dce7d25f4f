/**
 * The libraries of Kubernetes 1.36's environment.
 * Source: k8s.io/apiserver/pkg/cel/environment/base.go
 */
import type { Library } from "../library.ts";
import { authorizer } from "./authorizer.ts";
import { comprehensions } from "./comprehensions.ts";
import { format } from "./format.ts";
import { kubernetesLists, lists, sets } from "./lists.ts";
import { cidr, ip } from "./net.ts";
import { optional } from "./optional.ts";
import { quantity, semver } from "./quantity.ts";
import { standard } from "./standard.ts";
import { strings } from "./strings.ts";
import { regex, urls } from "./urls.ts";

/**
 * What every expression in Kubernetes can use. The order is upstream's: of overloads that fit alike, the first decides
 * what an unknown type is taken for.
 */
export const kubernetesLibraries: readonly Library[] = [
  standard,
  urls,
  regex,
  kubernetesLists,
  authorizer,
  optional,
  quantity,
  strings,
  sets,
  ip,
  cidr,
  format,
  comprehensions,
  semver,
  lists,
];
