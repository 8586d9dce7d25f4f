/** The objects that the gateway is made of, while there is something to serve. Pure. */
import { gatewayFolder, gatewayImage, gatewayName, gatewayNamespace } from "@atoll/api/supervisor/gateway";
import { Deployment, Service } from "@atoll/client/builtin";
import { healthPath, ports } from "./haproxy.ts";

const labels = { "app.kubernetes.io/name": gatewayName, "app.kubernetes.io/managed-by": "atoll" };
const metadata = { name: gatewayName, namespace: gatewayNamespace, labels };
const selector = { "app.kubernetes.io/name": gatewayName };
/** Of the image: nobody. */
const user = 65_532;

const container = {
  name: "proxy",
  image: gatewayImage,
  imagePullPolicy: "IfNotPresent",
  ports: [
    { name: "http", containerPort: ports.http },
    { name: "https", containerPort: ports.https },
  ],
  readinessProbe: { httpGet: { path: healthPath, port: ports.health }, periodSeconds: 2 },
  livenessProbe: { httpGet: { path: healthPath, port: ports.health }, periodSeconds: 10, failureThreshold: 6 },
  resources: { requests: { cpu: "100m", memory: "128Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
  volumeMounts: [{ name: "configuration", mountPath: gatewayFolder, readOnly: true }],
};

/** Of Secrets with certificates. */
export const tlsType = "kubernetes.io/tls";

/** How many there are is left to whoever administers it; one until somebody says otherwise. */
export const deployment = {
  apiVersion: "apps/v1",
  kind: Deployment.kind,
  metadata,
  spec: {
    selector: { matchLabels: selector },
    template: {
      metadata: { labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 30,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: user,
          runAsGroup: user,
          fsGroup: user,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [container],
        volumes: [{ name: "configuration", secret: { secretName: gatewayName, defaultMode: 0o440 } }],
      },
    },
  },
};

/** Reached as any LoadBalancer is. */
export const service = {
  apiVersion: "v1",
  kind: Service.kind,
  metadata,
  spec: {
    type: "LoadBalancer",
    selector,
    ports: [
      { name: "http", port: 80, targetPort: ports.http, protocol: "TCP" },
      { name: "https", port: 443, targetPort: ports.https, protocol: "TCP" },
    ],
  },
};

/** The proxy's files. It is of the type that the controller follows, so that it sees what becomes of its own. */
export const secretOf = (files: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata,
  type: tlsType,
  data: Object.fromEntries(
    // Which that type must have.
    Object.entries({ "tls.crt": "", "tls.key": "", ...files }).map(([name, text]) => [
      name,
      Buffer.from(text).toString("base64"),
    ]),
  ),
});

/** Whether all that is wanted is so; what is not spoken of may be anything. */
export function holds(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return found === wanted;
  if (typeof found !== "object" || found === null) return false;
  if (Array.isArray(wanted) && (!Array.isArray(found) || found.length !== wanted.length)) return false;
  return Object.entries(wanted).every(([name, value]) => holds((found as Record<string, unknown>)[name], value));
}
