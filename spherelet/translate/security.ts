/**
 * A Pod's and a container's security context: as whom and with which rights a process runs.
 * Sources: k8s.io/kubernetes/pkg/securitycontext (DetermineEffectiveSecurityContext), kuberuntime/security_context.go
 */
import type { Container, EphemeralContainer, SecurityContext } from "@atoll/api/builtin/core/v1.types";
import { capabilityMask } from "@atoll/api/supervisor/capabilities";
import type { Pod } from "@atoll/client/builtin";
import type { ProcessSpec } from "@atoll/crx/guest";
import { configError } from "./failure.ts";

/** What a container has unless told otherwise: the fourteen of every container runtime. */
const usualCapabilities =
  "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP".split(
    " ",
  );

/** The container's context where it says something, else the Pod's. */
function effectiveContext(pod: Pod, container: Container | EphemeralContainer): SecurityContext {
  const own = container.securityContext ?? {};
  const { runAsUser, runAsGroup, runAsNonRoot, seccompProfile } = pod.spec.securityContext ?? {};
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    ...(runAsNonRoot === undefined ? {} : { runAsNonRoot }),
    ...(seccompProfile === undefined ? {} : { seccompProfile }),
    ...own,
  };
}

/** Whom and what a process may be. */
export type Rights = Pick<
  ProcessSpec,
  "user" | "gid" | "groups" | "capabilities" | "noNewPrivileges" | "seccomp" | "nonRoot"
>;

/**
 * The rights of a container's processes.
 * @param image.user as the image says
 * @param seccomp the program of `RuntimeDefault` for such capabilities
 * @throws {CannotStart} it would have to be root and must not
 */
export function rightsOf(
  pod: Pod,
  container: Container | EphemeralContainer,
  image: { readonly user: string },
  seccomp: (capabilities: bigint) => Uint8Array,
): Rights {
  const context = effectiveContext(pod, container);
  const { supplementalGroups = [], fsGroup } = pod.spec.securityContext ?? {};
  const groups = [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])];
  const capabilities = capabilitiesOf(context);
  if (context.runAsNonRoot === true) requireNonRoot(pod, container, context, image.user);
  const user = context.runAsUser === undefined ? image.user : String(context.runAsUser);
  return {
    user,
    ...(context.runAsGroup === undefined ? {} : { gid: context.runAsGroup }),
    ...(groups.length === 0 ? {} : { groups }),
    capabilities,
    ...(context.allowPrivilegeEscalation === false ? { noNewPrivileges: true } : {}),
    ...(context.seccompProfile?.type === "RuntimeDefault" ? { seccomp: seccomp(capabilities) } : {}),
    ...(context.runAsNonRoot === true ? { nonRoot: true } : {}),
  };
}

function capabilitiesOf({ capabilities }: SecurityContext): bigint {
  const { add = [], drop = [] } = capabilities ?? {};
  let mask = drop.includes("ALL") ? 0n : capabilityMask(usualCapabilities);
  mask &= ~capabilityMask(drop);
  return mask | capabilityMask(add);
}

/** Source: kuberuntime/security_context_others.go (verifyRunAsNonRoot) */
function requireNonRoot(
  pod: Pod,
  container: Container | EphemeralContainer,
  { runAsUser }: SecurityContext,
  imageUser: string,
): void {
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  if (runAsUser === 0) throw configError(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  const [user = ""] = imageUser.split(":");
  if (user === "" || user === "0") throw configError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!/^\d+$/.test(user)) {
    const why = `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root`;
    throw configError(`${why} ${where}`);
  }
}
