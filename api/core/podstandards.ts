/**
 * Facts of the Pod Security Standards: for admission on a server, and for policies that a cluster judges itself.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/; k8s.io/pod-security-admission/policy of 1.36
 */

/** Capabilities that a container may add. */
export const addableCapabilities = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
] as const;

/** Sysctls that touch the pod alone, by the release whose standards first had them. */
export const sysctls0 = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
/** As of a later release. */
export const sysctls27 = [...sysctls0, "net.ipv4.ip_local_reserved_ports"];
/** As of a later release. */
export const sysctls29 = [
  ...sysctls27,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
/** As of a later release. */
export const sysctls32 = [...sysctls29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

/** Types that SELinux may give a container. */
export const seLinuxTypes0 = ["", "container_t", "container_init_t", "container_kvm_t"];

/** Volumes that the restricted level allows. */
export const restrictedVolumes: readonly string[] = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
