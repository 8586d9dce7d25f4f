/** Container ports, and that no two ask for the same port of the node. Source: pkg/apis/core/validation (validateContainerPorts, AccumulateUniqueHostPorts) */
import { portNameErrors, portNumberErrors } from "@atoll/machinery/names";
import type { ContainerPort } from "../../builtin/core/v1.types.ts";
import type { AnyContainer } from "./defaults.ts";
import type { Place } from "./place.ts";

const protocols = ["SCTP", "TCP", "UDP"];

/** The ports of one container. */
export function checkPorts(ports: readonly ContainerPort[], at: Place): void {
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const here = at.item("ports", i);
    if (port.name) checkName(port.name, names, here);
    if (port.containerPort === 0) here.required("containerPort");
    else here.each("containerPort", port.containerPort, portNumberErrors(port.containerPort));
    if (port.hostPort) here.each("hostPort", port.hostPort, portNumberErrors(port.hostPort));
    here.oneOf("protocol", port.protocol, protocols);
  }
}

function checkName(name: string, names: Set<string>, at: Place): void {
  const messages = portNameErrors(name);
  at.each("name", name, messages);
  if (messages.length > 0) return;
  if (names.has(name)) at.duplicate("name", name);
  names.add(name);
}

/** Ports of the node, over all of the containers given. */
export function checkHostPorts(containers: readonly AnyContainer[], at: Place, list: string): void {
  let taken: Set<string> | undefined;
  for (const [i, { ports }] of containers.entries()) {
    if (ports === undefined) continue;
    for (const [j, { protocol, hostIP, hostPort }] of ports.entries()) {
      if (!hostPort) continue;
      taken ??= new Set();
      const key = `${protocol}/${hostIP ?? ""}/${hostPort}`;
      if (taken.has(key)) at.item(list, i).item("ports", j).duplicate("hostPort", key);
      taken.add(key);
    }
  }
}

/** On the node's network a container's port is the node's. @param pod in a template it may be left open */
export function checkNodeNetwork(containers: readonly AnyContainer[], at: Place, { pod }: { pod: boolean }): void {
  for (const [i, { ports }] of containers.entries()) {
    for (const [j, { hostPort = 0, containerPort }] of (ports ?? []).entries()) {
      if ((pod || hostPort !== 0) && hostPort !== containerPort) {
        at.item("containers", i)
          .item("ports", j)
          .invalid("hostPort", hostPort, "must match `containerPort` when `hostNetwork` is true");
      }
    }
  }
}
