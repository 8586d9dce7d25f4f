/** The kinds of the Supervisor's own. */
import type { OwnKind } from "../own/kind.ts";
import { HostVM } from "./v1alpha1/hostvm.ts";
import { SupervisorNamespace } from "./v1alpha1/supervisornamespace.ts";

/** In the order of their names. */
export const supervisorKinds: readonly OwnKind[] = [HostVM, SupervisorNamespace];
