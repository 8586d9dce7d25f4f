/**
 * What a cluster applies to be attached: the agent as a Deployment, with what it needs to come in. Nothing here needs Node:
 * the console shows it too.
 * Source: docs/rfd/0029-attaching-by-manifest.md
 */
import type { ReachableBy } from "@atoll/api/fleet/reachable";
import { reachesHostLabel, systemNamespace as namespace } from "@atoll/api/supervisor/annotations";
import { digestOf } from "../gateway/offer.ts";
import type { PublishedGateway } from "../gateway/published.ts";

const name = "fleet-agent";
const labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "atoll" };
const joinFolder = "/etc/atoll/join";
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
const nobody = 65_532;

/** How a cluster comes in. */
export interface Joining {
  /** As its agent reaches it. */
  readonly gateway: PublishedGateway;
  /** Single-use, as `makeToken` gives it. */
  readonly token: string;
  /** `HOST:PORT/REPOSITORY@sha256:…` */
  readonly image: string;
  /** How people reach the cluster's API through the hub, if they do. */
  readonly reachable: ReachableBy | undefined;
}

/** An object of the manifest. */
export interface AttachObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** The objects in the order in which they are to be applied. */
export async function attachObjects(joining: Joining): Promise<readonly AttachObject[]> {
  const metadata = { name, namespace, labels };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    clusterRoleBinding(),
    joinSecret(joining),
    pullSecret(joining),
    { apiVersion: "apps/v1", kind: "Deployment", metadata, ...deployment(joining, await digestOf(joining.token)) },
  ];
}

/** The hub decides what the cluster has, so the agent may do everything here; RBAC and admission policies need no less. */
function clusterRoleBinding() {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "atoll-fleet-agent", labels },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  };
}

function joinSecret({ gateway, token }: Joining) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `${name}-join`, namespace, labels },
    type: "Opaque",
    stringData: { token, "gateway.crt": gateway.ca, kubeconfig: `${JSON.stringify(ownCluster)}\n` },
  };
}

/**
 * Atoll's hosts take from a pull secret who vouches for the registry, for images by digest; on others the nodes must be told,
 * and this changes nothing.
 */
function pullSecret({ gateway, image }: Joining) {
  const config = { auths: { [image.slice(0, image.indexOf("/"))]: {} } };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `${name}-pull`, namespace, labels },
    type: "kubernetes.io/dockerconfigjson",
    stringData: { ".dockerconfigjson": JSON.stringify(config), "ca.crt": gateway.ca },
  };
}

/** The cluster as the agent's pod sees it. */
const ownCluster = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      name: "own",
      cluster: { server: "https://kubernetes.default.svc", "certificate-authority": `${accountFolder}/ca.crt` },
    },
  ],
  users: [{ name, user: { tokenFile: `${accountFolder}/token` } }],
  contexts: [{ name: "own", context: { cluster: "own", user: name } }],
  "current-context": "own",
};

function deployment({ gateway, image, reachable }: Joining, tokenDigest: string) {
  const args = [
    ...["--gateway", gateway.url],
    ...["--gateway-ca", `${joinFolder}/gateway.crt`],
    ...["--token-file", `${joinFolder}/token`],
    ...["--kubeconfig", `${joinFolder}/kubeconfig`],
    ...(reachable === undefined ? [] : [`--reachable=${reachable}`]),
  ];
  const container = {
    name: "agent",
    image,
    args,
    resources: { requests: { cpu: "20m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [{ name: "join", mountPath: joinFolder, readOnly: true }],
  };
  return {
    spec: {
      replicas: 1,
      // Two agents at once with one identity would be fenced.
      strategy: { type: "Recreate" },
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels: { ...labels, [reachesHostLabel]: "true" },
          // Attached again, the agent begins again, to register by the new token.
          annotations: { "fleet.atoll.dev/token": tokenDigest },
        },
        spec: {
          serviceAccountName: name,
          imagePullSecrets: [{ name: `${name}-pull` }],
          nodeSelector: { "kubernetes.io/os": "linux" },
          priorityClassName: "system-cluster-critical",
          securityContext: {
            runAsNonRoot: true,
            runAsUser: nobody,
            runAsGroup: nobody,
            fsGroup: nobody,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [container],
          volumes: [{ name: "join", secret: { secretName: `${name}-join`, defaultMode: 0o440 } }],
        },
      },
    },
  };
}
