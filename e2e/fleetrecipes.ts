/** Every kind of policy and recipe, with what it refuses and what it lets pass, for tests at a cluster's API server. */

/** A request that makes an object: where below the API's root, and what. */
export interface Making {
  readonly path: string;
  readonly body: object;
}

/** A policy that judges what is made. */
export interface JudgedRecipe {
  readonly plural: string;
  readonly kind: string;
  readonly spec: object;
  /** What it is against, in a namespace. */
  bad(namespace: string): Making;
  /** What it has nothing against. */
  good(namespace: string): Making;
  readonly says: RegExp;
}

const digest = `registry.example.com/team/app@sha256:${"a".repeat(64)}`;

/** A pod that every recipe here lets pass. */
export function podIn(namespace: string, over: { readonly container?: object; readonly spec?: object } = {}): Making {
  const securityContext = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
  const container = { name: "a", image: digest, securityContext, ...over.container };
  return making("Pod", namespace, {
    metadata: { name: "made", labels: { team: "red" } },
    spec: { containers: [container], ...over.spec },
  });
}

const paths: Readonly<Record<string, readonly [apiVersion: string, root: string, plural: string]>> = {
  ConfigMap: ["v1", "/api/v1", "configmaps"],
  Ingress: ["networking.k8s.io/v1", "/apis/networking.k8s.io/v1", "ingresses"],
  Pod: ["v1", "/api/v1", "pods"],
  RoleBinding: ["rbac.authorization.k8s.io/v1", "/apis/rbac.authorization.k8s.io/v1", "rolebindings"],
  Service: ["v1", "/api/v1", "services"],
};

function making(kind: string, namespace: string, body: object): Making {
  const [apiVersion = "", root = "", plural = ""] = paths[kind] ?? [];
  return {
    path: `${root}/namespaces/${namespace}/${plural}`,
    body: { apiVersion, kind, metadata: { name: "made" }, ...body },
  };
}

function security(spec: object, says: RegExp, container: object, podSpec: object = {}): JudgedRecipe {
  return {
    ...{ plural: "securitypolicies", kind: "SecurityPolicy", spec, says },
    bad: (namespace) => podIn(namespace, { container, spec: podSpec }),
    good: (namespace) => podIn(namespace),
  };
}

function image(spec: object, bad: string, good = digest): JudgedRecipe {
  return {
    ...{ plural: "imagepolicies", kind: "ImagePolicy", spec, says: /images: / },
    bad: (namespace) => podIn(namespace, { container: { image: bad } }),
    good: (namespace) => podIn(namespace, { container: { image: good } }),
  };
}

interface Judged {
  readonly kind: string;
  readonly bad: object;
  readonly good: object;
  readonly says: RegExp;
}

function custom(spec: object, { kind, bad, good, says }: Judged): JudgedRecipe {
  return {
    ...{ plural: "custompolicies", kind: "CustomPolicy", spec, says },
    bad: (namespace) => making(kind, namespace, bad),
    good: (namespace) => making(kind, namespace, good),
  };
}

const ports = [{ port: 80 }];
const backend = { service: { name: "a", port: { number: 80 } } };
const rules = [{ host: "a.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
const bound = (name: string) => ({
  roleRef,
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }],
});
const onServices = [{ apiGroups: [""], resources: ["services"] }];
const onConfigMaps = [{ apiGroups: [""], resources: ["configmaps"] }];

/** By a name that fits into that of a namespace. */
export const judgedRecipes: Readonly<Record<string, JudgedRecipe>> = {
  baseline: security({ level: "Baseline" }, /privileged/, { securityContext: { privileged: true } }),
  restricted: security({ level: "Restricted" }, /allowPrivilegeEscalation != false/, { securityContext: {} }),
  chosen: security(
    { level: "Custom", custom: { controls: ["hostNamespaces"] } },
    /host namespaces/,
    {},
    { hostNetwork: true },
  ),
  registries: image({ registries: ["registry.example.com"] }, "nginx:1.27"),
  names: image({ names: ["team/*"] }, "registry.example.com/other/app:1"),
  tags: image({ tags: ["1.*"] }, "app:2.0", "app:1.0"),
  blocktags: image({ blockTags: ["dev-*"] }, "app:dev-3", "app:3"),
  latest: image({ blockLatest: true }, "registry.example.com:5000/app"),
  digest: image({ requireDigest: true }, "app:1.0"),
  nodeport: custom(
    { recipe: "BlockNodePort" },
    { kind: "Service", bad: { spec: { type: "NodePort", ports } }, good: { spec: { ports } }, says: /NodePort/ },
  ),
  externalips: custom(
    { recipe: "BlockExternalIPs" },
    {
      kind: "Service",
      bad: { spec: { ports, externalIPs: ["192.0.2.1"] } },
      good: { spec: { ports } },
      says: /external IPs/,
    },
  ),
  https: custom(
    { recipe: "RequireHttps" },
    {
      kind: "Ingress",
      bad: { spec: { rules } },
      good: { spec: { rules, tls: [{ hosts: ["a.example.com"], secretName: "a" }] } },
      says: /must have TLS/,
    },
  ),
  labels: custom(
    { recipe: "RequireLabels", labels: [{ key: "team", pattern: "red|blue" }], resources: onServices },
    {
      kind: "Service",
      bad: { metadata: { name: "made", labels: { team: "green" } }, spec: { ports } },
      good: { metadata: { name: "made", labels: { team: "red" } }, spec: { ports } },
      says: /label team is required/,
    },
  ),
  resources: {
    ...custom(
      { recipe: "BlockResources", resources: [{ apiGroups: ["networking.k8s.io"], resources: ["*"] }] },
      { kind: "Ingress", bad: { spec: { rules } }, good: {}, says: /not allowed here/ },
    ),
    good: (namespace) => podIn(namespace),
  },
  subjects: custom(
    { recipe: "BlockRoleSubjects", subjects: [{ kind: "User", name: "eve" }] },
    { kind: "RoleBinding", bad: bound("eve"), good: bound("ann"), says: /must not be bound/ },
  ),
  rules: custom(
    {
      recipe: "Rules",
      resources: onConfigMaps,
      rules: [{ expression: "!('secret' in object.?data.orValue({}))", message: "secrets are no data of a ConfigMap" }],
    },
    { kind: "ConfigMap", bad: { data: { secret: "x" } }, good: { data: { plain: "x" } }, says: /secrets are no data/ },
  ),
};

/** What a namespace's NetworkPolicy says, by the recipe of a TrafficPolicy. */
export const trafficRecipes: Readonly<Record<string, { readonly spec: object; readonly made: object }>> = {
  allowall: {
    spec: { recipe: "AllowAll" },
    made: { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] },
  },
  denyall: { spec: { recipe: "DenyAll" }, made: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
  topods: {
    spec: { recipe: "AllowAllToPods", podSelector: { matchLabels: { app: "web" } } },
    made: { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"], ingress: [{}] },
  },
  nottopods: {
    spec: { recipe: "DenyAllToPods", podSelector: { matchLabels: { app: "web" } } },
    made: { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"] },
  },
  egress: {
    spec: { recipe: "AllowAllEgress" },
    made: { podSelector: {}, policyTypes: ["Egress"], egress: [{}] },
  },
  noegress: { spec: { recipe: "DenyAllEgress" }, made: { podSelector: {}, policyTypes: ["Egress"] } },
  ingressrules: {
    spec: { recipe: "CustomIngress", rules: [{ from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] },
    made: {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }],
    },
  },
  egressrules: {
    spec: { recipe: "CustomEgress", rules: [{ ports: [{ port: 443, protocol: "TCP" }] }] },
    made: { podSelector: {}, policyTypes: ["Egress"], egress: [{ ports: [{ port: 443, protocol: "TCP" }] }] },
  },
};

/** Sizes of a QuotaPolicy, with the CPUs that a namespace may ask for. */
export const quotaSizes: Readonly<Record<string, { readonly spec: object; readonly cpus: number }>> = {
  small: { spec: { size: "Small" }, cpus: 1 },
  medium: { spec: { size: "Medium" }, cpus: 4 },
  large: { spec: { size: "Large" }, cpus: 16 },
  amount: { spec: { size: "Custom", hard: { "requests.cpu": "3" } }, cpus: 3 },
};

/** Roles of an AccessPolicy, with what they let do in the policy's namespaces and what not. */
export const roles: Readonly<
  Record<string, { readonly binding: object; readonly may: readonly string[]; readonly mayNot: readonly string[] }>
> = {
  admin: {
    binding: { role: "namespace.admin" },
    may: ["create rolebindings", "create pods"],
    mayNot: ["create nodes"],
  },
  edit: { binding: { role: "workspace.edit" }, may: ["create pods"], mayNot: ["create rolebindings"] },
  view: { binding: { role: "organization.view" }, may: ["list pods"], mayNot: ["create pods", "list secrets"] },
  own: {
    binding: { role: "custom", rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }] },
    may: ["list configmaps"],
    mayNot: ["create configmaps", "list pods"],
  },
};
