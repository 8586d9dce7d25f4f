/** Services to the left, pods to the right, a line from each to where it leads. Rows have one height, so lines need no measuring. */
import { Link as GoTo } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Resource, resourceOf } from "../../model/resources.ts";
import type { Picture, PodNode, ServiceNode } from "../../model/topology.ts";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";

/** Height of a node with the space below it, px; theme.css holds nodes to it. */
const rowPx = 56;
const middlePx = 24;
/** Width of what the lines are drawn in; they stretch to the width that there is. */
const wide = 100;
/** More pods than a picture holds. */
const most = 100;

interface DrawingProps {
  readonly picture: Picture;
  readonly namespace: string;
  /** Name of the chosen pod. */
  readonly chosen: string;
  onChoose(pod: string): void;
}

/** The picture itself. */
export function Drawing({ picture, namespace, chosen, onChoose }: DrawingProps) {
  const pods = picture.pods.slice(0, most);
  const resource = resourceOf("services");
  return (
    <>
      <div className="topology">
        <ul aria-label="Services">
          {picture.services.map((service) => (
            <li key={service.name}>
              <ServiceBox service={service} namespace={namespace} resource={resource} />
            </li>
          ))}
        </ul>
        <Lines picture={{ ...picture, pods }} chosen={chosen} />
        <ul aria-label="Pods">
          {pods.map((pod) => (
            <li key={pod.name}>
              <PodBox pod={pod} picture={picture} isChosen={pod.name === chosen} onChoose={onChoose} />
            </li>
          ))}
        </ul>
      </div>
      {picture.pods.length > most && (
        <p className="count">{picture.pods.length - most} more pods are not drawn; the list of pods has them all.</p>
      )}
    </>
  );
}

function ServiceBox({
  service,
  namespace,
  resource,
}: {
  service: ServiceNode;
  namespace: string;
  resource: Resource | undefined;
}) {
  const { name, how, ports, opensFor } = service;
  return (
    <div className="node">
      <strong>
        {resource === undefined ? name : <GoTo to={paths.object(resource, namespace, name)}>{name}</GoTo>}
      </strong>
      <span className="count">
        {[how, ports.join(" "), opensFor.length > 1 ? `for ${opensFor.join(", ")}` : ""].filter(Boolean).join(" · ")}
      </span>
    </div>
  );
}

interface PodBoxProps {
  readonly pod: PodNode;
  readonly picture: Picture;
  readonly isChosen: boolean;
  onChoose(pod: string): void;
}

function PodBox({ pod: { name, phase, isReady, policies }, picture, isChosen, onChoose }: PodBoxProps) {
  const services = picture.links.filter(({ pod }) => pod === name).map(({ service }) => service);
  const way = services.length === 0 ? "no Service leads here" : `through ${services.join(", ")}`;
  const guards = policies.length === 0 ? "" : ` · ${policies.join(", ")}`;
  return (
    <button
      type="button"
      className={`node${isChosen ? " is-chosen" : ""}`}
      aria-pressed={isChosen}
      onClick={() => onChoose(isChosen ? "" : name)}
    >
      <strong>{name}</strong>
      <span className="count">
        <Status
          word={isReady ? "Ready" : phase}
          {...(isReady || phase !== "Running" ? {} : { tone: "busy" as const })}
        />{" "}
        · {way}
        {guards}
      </span>
    </button>
  );
}

/** The lists beside it say the same in words. */
function Lines({ picture: { services, pods, links }, chosen }: { picture: Picture; chosen: string }): ReactNode {
  const height = Math.max(services.length, pods.length, 1) * rowPx;
  const at = (index: number) => index * rowPx + middlePx;
  return (
    <svg viewBox={`0 0 ${wide} ${height}`} height={height} preserveAspectRatio="none" aria-hidden="true">
      {links.map(({ service, pod, isUsed }) => {
        const from = services.findIndex(({ name }) => name === service);
        const to = pods.findIndex(({ name }) => name === pod);
        if (from === -1 || to === -1) return null;
        const path = `M0 ${at(from)}C${wide / 2} ${at(from)} ${wide / 2} ${at(to)} ${wide} ${at(to)}`;
        const look = [isUsed ? "" : "is-waiting", pod === chosen ? "is-chosen" : ""].filter(Boolean).join(" ");
        return <path key={`${service} ${pod}`} d={path} className={look} />;
      })}
    </svg>
  );
}
