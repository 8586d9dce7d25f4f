/** What the node runs or asks in a container: probes, lifecycle hooks. Source: pkg/apis/core/validation (validateProbe, validateHandler) */
import { portNameErrors, portNumberErrors } from "@atoll/machinery/names";
import type { HTTPGetAction, LifecycleHandler, Probe } from "../../builtin/core/v1.types.ts";
import type { AnyContainer } from "./defaults.ts";
import type { Place } from "./place.ts";

const schemes = ["HTTP", "HTTPS"];
const headerName = /^[-A-Za-z0-9]+$/;

/**
 * Probes and hooks of a container that may have them.
 * @param graceSeconds the pod's grace period, which bounds a hook's sleep; undefined when the pod has a bad one
 */
export function checkProbes(container: AnyContainer, graceSeconds: number | undefined, at: Place): void {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  if (lifecycle?.postStart !== undefined) {
    checkHandler(lifecycle.postStart, graceSeconds, at.child("lifecycle").child("postStart"));
  }
  if (lifecycle?.preStop !== undefined) {
    checkHandler(lifecycle.preStop, graceSeconds, at.child("lifecycle").child("preStop"));
  }
  if (livenessProbe !== undefined) checkSingleProbe(livenessProbe, at.child("livenessProbe"));
  if (readinessProbe !== undefined) checkReadiness(readinessProbe, at.child("readinessProbe"));
  if (startupProbe !== undefined) checkSingleProbe(startupProbe, at.child("startupProbe"));
}

/** One success is enough for it, and has to be. */
function checkSingleProbe(probe: Probe, at: Place): void {
  checkProbe(probe, at);
  if (probe.successThreshold !== 1) at.invalid("successThreshold", probe.successThreshold, "must be 1");
}

function checkReadiness(probe: Probe, at: Place): void {
  checkProbe(probe, at);
  const { terminationGracePeriodSeconds: grace } = probe;
  if (grace !== undefined) at.invalid("terminationGracePeriodSeconds", grace, "must not be set for readinessProbes");
}

function checkProbe(probe: Probe, at: Place): void {
  checkHandler(probe, undefined, at);
  at.nonNegative("initialDelaySeconds", probe.initialDelaySeconds);
  at.nonNegative("timeoutSeconds", probe.timeoutSeconds);
  at.nonNegative("periodSeconds", probe.periodSeconds);
  at.nonNegative("successThreshold", probe.successThreshold);
  at.nonNegative("failureThreshold", probe.failureThreshold);
  const { terminationGracePeriodSeconds: grace } = probe;
  if (grace !== undefined && grace <= 0) at.invalid("terminationGracePeriodSeconds", grace, "must be greater than 0");
}

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

const oneOnly = "may not specify more than 1 handler type";

/** Exactly one way; of several the first counts and the others are refused. */
function checkHandler(handler: Handler, graceSeconds: number | undefined, at: Place): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  let first = "";
  for (const way of ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const) {
    if (handler[way] === undefined || handler[way] === null) continue;
    if (first === "") first = way;
    else at.forbidden(way, oneOnly);
  }
  if (first === "") at.required("", "must specify a handler type");
  if (first === "exec" && (exec?.command ?? []).length === 0) at.child("exec").required("command");
  if (first === "httpGet" && httpGet !== undefined) checkHttpGet(httpGet, at.child("httpGet"));
  if (first === "tcpSocket" && tcpSocket !== undefined) checkPort(tcpSocket.port, at.child("tcpSocket"));
  if (first === "grpc" && grpc !== undefined) checkPort(grpc.port, at.child("grpc"));
  if (first !== "sleep" || sleep === undefined || graceSeconds === undefined) return;
  if (sleep.seconds < 0 || sleep.seconds > graceSeconds) {
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
    at.invalid("sleep", sleep.seconds, detail);
  }
}

function checkHttpGet({ path, port, scheme, httpHeaders = [] }: HTTPGetAction, at: Place): void {
  if (!path) at.required("path");
  checkPort(port, at);
  if (!schemes.includes(scheme ?? "")) at.notSupported("scheme", scheme ?? "", schemes);
  for (const { name } of httpHeaders) {
    if (headerName.test(name)) continue;
    at.invalid(
      "httpHeaders",
      name,
      "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
    );
  }
}

/** A port by number or by name. */
function checkPort(port: number | string, at: Place): void {
  at.each("port", port, typeof port === "number" ? portNumberErrors(port) : portNameErrors(port));
}
