/**
 * The libraries of Kubernetes 1.36's environment.
 * Source: k8s.io/apiserver/pkg/cel/environment/base.go
 */
import type { Library } from "../library.ts";
import { optional } from "./optional.ts";
import { standard } from "./standard.ts";

/** What every expression in Kubernetes can use. */
export const kubernetesLibraries: readonly Library[] = [standard, optional];
