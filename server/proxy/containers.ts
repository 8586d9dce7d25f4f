/**
 * Which container a stream is of.
 * Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go (validateContainer)
 */
import type { Container, Pod } from "@atoll/api/builtin/core/v1.types";
import { StatusError } from "@atoll/machinery/status";

/** @param asked "" when the client names none @throws {StatusError} BadRequest */
export function containerOf({ metadata, spec }: Pod, asked: string): string {
  const containers = spec?.containers ?? [];
  const { initContainers = [], ephemeralContainers = [] } = spec ?? {};
  const name = metadata.name ?? "";
  if (asked !== "") {
    const all: readonly { readonly name: string }[] = [...containers, ...initContainers, ...ephemeralContainers];
    if (all.some((container) => container.name === asked)) return asked;
    throw new StatusError("BadRequest", `container ${asked} is not valid for pod ${name}`);
  }
  const [only, ...others] = containers;
  if (only !== undefined && others.length === 0) return only.name;
  const choices = [
    `a container name must be specified for pod ${name}, choose one of: ${listed(containers)}`,
    ...(initContainers.length > 0 ? [`or one of the init containers: ${listed(initContainers)}`] : []),
    ...(ephemeralContainers.length > 0 ? [`or one of the ephemeral containers: ${listed(ephemeralContainers)}`] : []),
  ];
  throw new StatusError("BadRequest", choices.join(" "));
}

function listed(containers: readonly Pick<Container, "name">[]): string {
  return `[${containers.map(({ name }) => name).join(" ")}]`;
}
