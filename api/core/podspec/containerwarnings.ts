/** Warnings about containers: environment, ports, amounts. Source: k8s.io/kubernetes/pkg/api/pod/warnings.go */
import type { Path } from "@atoll/machinery/field";
import { parseQuantity } from "@atoll/machinery/quantity";
import type { ContainerPort, PodSpec } from "../../builtin/core/v1.types.ts";
import type { AnyContainer } from "./defaults.ts";
import { about, isWhole } from "./place.ts";

/** Adds the warnings of all containers and of the pod's overhead; `at` is the specification's place. */
export function addContainerWarnings(spec: PodSpec, at: Path, warnings: string[]): void {
  addFractions(spec.overhead, at.child("overhead"), warnings);
  for (const list of ["initContainers", "containers"] as const) {
    const ports: Placed[] = [];
    for (const [i, container] of (spec[list] ?? []).entries()) {
      const here = at.child(list).index(i);
      const { resources, env, ports: own } = container;
      addFractions(resources.requests, here.child("resources").child("requests"), warnings);
      addFractions(resources.limits, here.child("resources").child("limits"), warnings);
      if (env !== undefined) addEnvWarnings(env, here.child("env"), warnings);
      for (const [j, port] of (own ?? []).entries()) {
        const placed = { port, at: here.child("ports").index(j) };
        addPortWarnings(placed, ports, warnings);
        ports.push(placed);
      }
    }
  }
}

const bytes = ["memory", "ephemeral-storage"];

function addFractions(amounts: Readonly<Record<string, string>> | undefined, at: Path, warnings: string[]): void {
  for (const name of bytes) {
    const amount = amounts?.[name];
    if (amount === undefined || isWhole(parseQuantity(amount))) continue;
    warnings.push(
      about(at.key(name), `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`),
    );
  }
}

/** A variable set twice; a later one that refers to the earlier is meant. */
function addEnvWarnings(env: NonNullable<AnyContainer["env"]>, at: Path, warnings: string[]): void {
  const seen = new Set<string>();
  for (const [i, { name, value = "" }] of env.entries()) {
    if (seen.has(name) && !value.includes(`$(${name})`)) {
      warnings.push(
        about(
          at.index(i),
          `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
        ),
      );
    }
    seen.add(name);
  }
}

interface Placed {
  readonly port: ContainerPort;
  readonly at: Path;
}

/** The same port of the pod or of the node, in words that differ as upstream's do. */
function addPortWarnings({ port, at }: Placed, others: readonly Placed[], warnings: string[]): void {
  const same = others.find(
    (other) => other.port.containerPort === port.containerPort && other.port.protocol === port.protocol,
  );
  if (same === undefined) return;
  const { hostPort = 0, hostIP = "" } = port;
  const twin = hostPort === (same.port.hostPort ?? 0) && hostIP === (same.port.hostIP ?? "");
  if (twin) warnings.push(about(at, `duplicate port definition with ${same.at.toString()}`));
  else if (hostPort === 0 || !same.port.hostPort)
    warnings.push(about(at, `overlapping port definition with ${same.at.toString()}`));
}
