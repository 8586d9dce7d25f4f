/** /version: what this server is. Source: k8s.io/apimachinery/pkg/version */
import type { Stage } from "../exchange.ts";
import { jsonReply } from "../reply.ts";
import { noSuchMethod } from "../refusals.ts";

/** The Kubernetes release whose API is served. */
export const kubernetesRelease = { major: "1", minor: "36" } as const;

/** @param atoll Atoll's own version */
export function version(atoll: string): Stage {
  const document = {
    ...kubernetesRelease,
    emulationMajor: kubernetesRelease.major,
    emulationMinor: kubernetesRelease.minor,
    minCompatibilityMajor: kubernetesRelease.major,
    minCompatibilityMinor: "35",
    gitVersion: `v${kubernetesRelease.major}.${kubernetesRelease.minor}.0+atoll-${atoll}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "none",
    compiler: `node ${process.version}`,
    platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
  return ({ info }) => {
    if (info.path !== "/version" && info.path !== "/version/") return undefined;
    if (info.method !== "GET") throw noSuchMethod();
    return jsonReply(200, document);
  };
}
