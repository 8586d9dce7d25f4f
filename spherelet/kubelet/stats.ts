/** What pods use, as metrics-server and kubectl top read it. */
import { cpus, freemem, totalmem } from "node:os";
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import { formatTime } from "@atoll/machinery/clock";
import type { PodUsage } from "./runtime.ts";

const billion = 1e9;
const million = 1e6;

/** What the host uses, all in all. */
export interface NodeUsage {
  readonly timeMs: number;
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
  readonly availableBytes: number;
}

/** Of the host this runs on. Memory that would be freed if it were needed is not in use. */
export function nodeUsage(timeMs: number): NodeUsage {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const availableBytes = freemem();
  return { timeMs, cpuNanoseconds: busyMs * million, memoryBytes: totalmem() - availableBytes, availableBytes };
}

/** Prometheus text of /metrics. Source: k8s.io/kubernetes/pkg/kubelet/metrics */
export function podMetrics(pods: readonly Pod[]): string {
  const running = pods.filter(({ status }) => status?.phase === "Running");
  const states = { running: 0, exited: 0, created: 0 };
  for (const { state } of pods.flatMap(({ status }) => status?.containerStatuses ?? [])) {
    if (state?.running !== undefined) states.running++;
    else if (state?.terminated !== undefined) states.exited++;
    else states.created++;
  }
  const containers = Object.entries(states).map(
    ([state, count]) => `kubelet_running_containers{container_state="${state}"} ${count}`,
  );
  return [
    family("kubelet_desired_pods", "gauge", "Pods of this node", [`kubelet_desired_pods ${pods.length}`]),
    family("kubelet_running_pods", "gauge", "Pods that run", [`kubelet_running_pods ${running.length}`]),
    family("kubelet_running_containers", "gauge", "Containers by state", containers),
  ].join("");
}

/**
 * Prometheus text of /metrics/resource.
 * Source: k8s.io/kubernetes/pkg/kubelet/metrics/collectors/resource_metrics.go
 */
export function resourceMetrics(node: NodeUsage, usages: readonly PodUsage[]): string {
  const cpu: string[] = [];
  const memory: string[] = [];
  const started: string[] = [];
  const podCpu: string[] = [];
  const podMemory: string[] = [];
  for (const { pod, timeMs, containers } of usages) {
    const own = `namespace=${quoted(pod.metadata.namespace)},pod=${quoted(pod.metadata.name)}`;
    for (const { name, startedMs, cpuNanoseconds, memoryBytes } of containers) {
      const labels = `{container=${quoted(name)},${own}}`;
      cpu.push(`container_cpu_usage_seconds_total${labels} ${Number(cpuNanoseconds) / billion} ${timeMs}`);
      memory.push(`container_memory_working_set_bytes${labels} ${memoryBytes} ${timeMs}`);
      started.push(`container_start_time_seconds${labels} ${startedMs / 1000}`);
    }
    const total = containers.reduce((sum, { cpuNanoseconds }) => sum + Number(cpuNanoseconds), 0);
    podCpu.push(`pod_cpu_usage_seconds_total{${own}} ${total / billion} ${timeMs}`);
    const bytes = containers.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0n);
    podMemory.push(`pod_memory_working_set_bytes{${own}} ${bytes} ${timeMs}`);
  }
  const nodeCpu = `node_cpu_usage_seconds_total ${node.cpuNanoseconds / billion} ${node.timeMs}`;
  const nodeMemory = `node_memory_working_set_bytes ${node.memoryBytes} ${node.timeMs}`;
  return [
    family("node_cpu_usage_seconds_total", "counter", "CPU time used by the node in core-seconds", [nodeCpu]),
    family("node_memory_working_set_bytes", "gauge", "Working set of the node in bytes", [nodeMemory]),
    family("container_cpu_usage_seconds_total", "counter", "CPU time used by the container in core-seconds", cpu),
    family("container_memory_working_set_bytes", "gauge", "Working set of the container in bytes", memory),
    family("container_start_time_seconds", "gauge", "Start of the container since the epoch in seconds", started),
    family("pod_cpu_usage_seconds_total", "counter", "CPU time used by the pod in core-seconds", podCpu),
    family("pod_memory_working_set_bytes", "gauge", "Working set of the pod in bytes", podMemory),
    family("resource_scrape_error", "gauge", "1 if something could not be read", ["resource_scrape_error 0"]),
  ].join("");
}

function family(name: string, type: string, help: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function quoted(text = ""): string {
  return `"${text.replace(/["\\\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`))}"`;
}

/** The answer of /stats/summary. Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1 */
export function summary(nodeName: string, node: NodeUsage, usages: readonly PodUsage[]): object {
  const time = formatTime(node.timeMs);
  return {
    node: {
      nodeName,
      cpu: { time, usageCoreNanoSeconds: node.cpuNanoseconds },
      memory: { time, availableBytes: node.availableBytes, workingSetBytes: node.memoryBytes },
    },
    pods: usages.map(({ pod, timeMs, containers }) => ({
      podRef: refOf(pod),
      startTime: pod.status?.startTime,
      containers: containers.map(({ name, startedMs, cpuNanoseconds, memoryBytes }) => ({
        name,
        startTime: formatTime(startedMs),
        cpu: { time: formatTime(timeMs), usageCoreNanoSeconds: Number(cpuNanoseconds) },
        memory: { time: formatTime(timeMs), workingSetBytes: Number(memoryBytes) },
      })),
    })),
  };
}

function refOf({ metadata: { name, namespace, uid } }: Pod): object {
  return { name, namespace, uid };
}
