/**
 * The libraries of Kubernetes 1.36's environment.
 * Source: k8s.io/apiserver/pkg/cel/environment/base.go
 */
import type { Library } from "../library.ts";
import { comprehensions } from "./comprehensions.ts";
import { kubernetesLists, lists, sets } from "./lists.ts";
import { optional } from "./optional.ts";
import { standard } from "./standard.ts";
import { strings } from "./strings.ts";

/** What every expression in Kubernetes can use. */
export const kubernetesLibraries: readonly Library[] = [
  standard,
  optional,
  strings,
  kubernetesLists,
  lists,
  sets,
  comprehensions,
];
