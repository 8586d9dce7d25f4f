/**
 * The controls of the Pod Security Standards as CEL over a Pod.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
import { addableCapabilities, restrictedVolumes, seLinuxTypes0, sysctls32 } from "@atoll/api/core/podstandards";
import type { Control } from "@atoll/api/fleet/v1alpha1/securitypolicy";

/** A validation of a ValidatingAdmissionPolicy. */
export interface Validation {
  readonly expression: string;
  readonly message: string;
}

/** What the expressions use. dyn(), because the three lists hold three types of the same shape. */
export const podVariables = [
  {
    name: "containers",
    expression:
      "dyn(object.spec.containers) + dyn(object.spec.?initContainers.orValue([]))" +
      " + dyn(object.spec.?ephemeralContainers.orValue([]))",
  },
  { name: "context", expression: "object.spec.?securityContext.orValue({})" },
  { name: "linux", expression: "object.spec.?os.?name.orValue('linux') != 'windows'" },
] as const;

const text = (values: readonly string[]) => `[${values.map((value) => `'${value}'`).join(", ")}]`;

const seLinuxTypes = [...seLinuxTypes0, "container_engine_t"];

/** A rule that holds for each container's security context `s`. */
const eachContext = (rule: string) => `variables.containers.all(c, [c.?securityContext.orValue({})].all(s, ${rule}))`;
/** A rule that holds for the pod's security context and each container's. */
const everyContext = (rule: string) => `[variables.context].all(s, ${rule}) && ${eachContext(rule)}`;
const onLinux = (rule: string) => `!variables.linux || (${rule})`;

/** Each control's rule. */
export const podRules: Readonly<Record<Control, Validation>> = {
  hostProcess: {
    expression: everyContext("!s.?windowsOptions.?hostProcess.orValue(false)"),
    message: "hostProcess: Windows host processes are not allowed",
  },
  hostNamespaces: {
    expression: ["hostNetwork", "hostPID", "hostIPC"].map((f) => `!object.spec.?${f}.orValue(false)`).join(" && "),
    message: "host namespaces: hostNetwork, hostPID and hostIPC must not be true",
  },
  privileged: {
    expression: eachContext("!s.?privileged.orValue(false)"),
    message: "privileged: containers must not set securityContext.privileged=true",
  },
  capabilities: {
    expression: eachContext(`s.?capabilities.?add.orValue([]).all(x, x in ${text(addableCapabilities)})`),
    message: "non-default capabilities: containers must not add more than the default ones",
  },
  hostPathVolumes: {
    expression: "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
    message: "hostPath volumes are not allowed",
  },
  hostPorts: {
    expression: "variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))",
    message: "hostPort: containers must not use ports of the host",
  },
  appArmor: {
    expression:
      `${everyContext("s.?appArmorProfile.?type.orValue('RuntimeDefault') in ['RuntimeDefault', 'Localhost']")}` +
      " && object.metadata.?annotations.orValue({}).all(k, !k.startsWith('container.apparmor.security.beta.kubernetes.io/')" +
      " || object.metadata.annotations[k] in ['', 'runtime/default'] || object.metadata.annotations[k].startsWith('localhost/'))",
    message: "AppArmor: the profile must be the runtime's default or one of the host's, never unconfined",
  },
  seLinux: {
    expression: everyContext(
      `s.?seLinuxOptions.?type.orValue('') in ${text(seLinuxTypes)}` +
        " && s.?seLinuxOptions.?user.orValue('') == '' && s.?seLinuxOptions.?role.orValue('') == ''",
    ),
    message: "seLinuxOptions: user and role must be unset, and type one of containers'",
  },
  procMount: {
    expression: eachContext("s.?procMount.orValue('Default') == 'Default'"),
    message: "procMount: must be Default",
  },
  seccomp: {
    expression: everyContext("s.?seccompProfile.?type.orValue('RuntimeDefault') != 'Unconfined'"),
    message: "seccompProfile: must not be Unconfined",
  },
  sysctls: {
    expression: `variables.context.?sysctls.orValue([]).all(x, x.name in ${text(sysctls32)})`,
    message: "sysctls: only safe ones are allowed",
  },
  restrictedVolumes: {
    expression: `object.spec.?volumes.orValue([]).all(v, ${restrictedVolumes.map((type) => `has(v.${type})`).join(" || ")})`,
    message: `restricted volume types: only ${restrictedVolumes.join(", ")}`,
  },
  allowPrivilegeEscalation: {
    expression: onLinux(eachContext("!s.?allowPrivilegeEscalation.orValue(true)")),
    message: "allowPrivilegeEscalation != false: containers must set securityContext.allowPrivilegeEscalation=false",
  },
  runAsNonRoot: {
    expression: eachContext("s.?runAsNonRoot.orValue(variables.context.?runAsNonRoot.orValue(false))"),
    message: "runAsNonRoot != true: the pod or its containers must set securityContext.runAsNonRoot=true",
  },
  runAsUser: {
    expression: everyContext("s.?runAsUser.orValue(1) != 0"),
    message: "runAsUser=0: pod and containers must not run as root",
  },
  seccompRestricted: {
    expression: onLinux(
      eachContext(
        "s.?seccompProfile.?type.orValue(variables.context.?seccompProfile.?type.orValue('')) in ['RuntimeDefault', 'Localhost']",
      ),
    ),
    message: "seccompProfile: the pod or its containers must set type RuntimeDefault or Localhost",
  },
  capabilitiesRestricted: {
    expression: onLinux(
      eachContext(
        "'ALL' in s.?capabilities.?drop.orValue([]) && s.?capabilities.?add.orValue([]).all(x, x == 'NET_BIND_SERVICE')",
      ),
    ),
    message: "unrestricted capabilities: containers must drop ALL, and add at most NET_BIND_SERVICE",
  },
};
