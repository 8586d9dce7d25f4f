/** A namespace as a picture: Services, the pods that they lead to, and of a chosen pod who may reach it and why. */
import { EmptyState, EmptyStateBody, Spinner } from "@patternfly/react-core";
import { Table, Td } from "../../parts/table.tsx";
import { Link as GoTo, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { worstOf } from "../../live/several.ts";
import { useObjects } from "../../live/use.ts";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { type Picture, pictureOf, type Reckoning, reachesOf, reckon, type Seen } from "../../model/topology.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NamespaceChoice } from "../../parts/namespaces.tsx";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";
import { Drawing } from "./drawing.tsx";

const slices: Resource = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};
const policies: Resource = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  namespaced: true,
};
const core = (kind: string, plural: string, namespaced = true): Resource => {
  return { group: "", version: "v1", kind, plural, namespaced };
};
const pods = core("Pod", "pods");
const services = core("Service", "services");
const namespaces = core("Namespace", "namespaces", false);

/** `/topology` */
export function Page() {
  const { ns = "default", pod = "" } = useSearch({ from: "/topology" });
  const navigate = useNavigate();
  return (
    <section className="page">
      <PageHead
        title="Topology"
        actions={<KubectlHint command={`kubectl get services,endpointslices,pods,networkpolicies -n ${ns}`} />}
      />
      <div className="tools">
        <NamespaceChoice
          value={ns}
          onChange={(next) => void navigate({ to: paths.topology(next || "default"), replace: true })}
        />
      </div>
      <Namespaced
        key={ns}
        ns={ns}
        pod={pod}
        onChoose={(next) => void navigate({ to: paths.topology(ns, next), replace: true })}
      />
    </section>
  );
}

interface NamespacedProps {
  readonly ns: string;
  /** Name of the chosen pod; "" for none. */
  readonly pod: string;
  onChoose(pod: string): void;
}

function Namespaced({ ns, pod, onChoose }: NamespacedProps) {
  const { seen, phase, message } = useSeen(ns);
  const reckoning = useMemo(() => reckon(seen), [seen]);
  const picture = useMemo(() => pictureOf(seen, reckoning), [seen, reckoning]);
  if (phase === "loading") return <Spinner aria-label="Loading" />;
  return (
    <>
      <Freshness phase={phase} message={message} />
      {picture.pods.length + picture.services.length === 0 ? (
        <Nothing ns={ns} />
      ) : (
        <>
          <Rule ns={ns} reckoning={reckoning} />
          <Drawing picture={picture} namespace={ns} chosen={pod} onChoose={onChoose} />
        </>
      )}
      {pod !== "" && <Reaches ns={ns} pod={pod} picture={picture} reckoning={reckoning} />}
    </>
  );
}

/** Five watches, seen as one: as old as the oldest of them. */
function useSeen(namespace: string) {
  const parts = [
    useObjects(pods, { namespace }),
    useObjects(services, { namespace }),
    useObjects(slices, { namespace }),
    useObjects(policies, { namespace }),
    useObjects(namespaces, { fieldSelector: `metadata.name=${namespace}` }),
  ] as const;
  const all = parts.map(({ items }) => items);
  const seen = useMemo(() => {
    const [ofPods, ofServices, ofSlices, ofPolicies, ofNamespaces] = all;
    return {
      pods: ofPods,
      services: ofServices,
      slices: ofSlices,
      policies: ofPolicies,
      namespaces: ofNamespaces,
    } as unknown as Seen;
    // A list is another list only when something in it changed.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, all);
  return { seen, ...worstOf(parts) };
}

/** What holds where nothing else is said. */
function Rule({ ns, reckoning }: { ns: string; reckoning: Reckoning }) {
  const isFlat = reckoning.world.namespaces.get(ns)?.flat === true;
  return (
    <p className="count">
      {isFlat
        ? "This namespace is flat: its pods, and those of other flat namespaces, reach each other unless a NetworkPolicy says otherwise."
        : "Pods do not reach each other but through a Service. A NetworkPolicy opens or closes further."}
    </p>
  );
}

function Nothing({ ns }: { ns: string }) {
  return (
    <EmptyState titleText={`No pods or services in ${ns}`} headingLevel="h2" variant="sm">
      <EmptyStateBody>Choose another namespace, or create a Deployment and a Service from YAML.</EmptyStateBody>
    </EmptyState>
  );
}

interface ReachesProps {
  readonly ns: string;
  readonly pod: string;
  readonly picture: Picture;
  readonly reckoning: Reckoning;
}

function Reaches({ ns, pod, picture, reckoning }: ReachesProps) {
  const reaches = useMemo(() => reachesOf(pod, reckoning), [pod, reckoning]);
  const isThere = picture.pods.some(({ name }) => name === pod);
  const [first] = reaches;
  const resource = resourceOf("pods");
  return (
    <section aria-label={`Who may reach ${pod}`}>
      <div className="page-line">
        <h2 className="small-head">
          Who may reach {resource === undefined ? pod : <GoTo to={paths.object(resource, ns, pod)}>{pod}</GoTo>}
        </h2>
        {first !== undefined && (
          <KubectlHint
            command={`kubectl atoll why ${ns}/${first.from} ${ns}/${pod}:${first.port.split("/")[0] ?? ""}`}
          />
        )}
      </div>
      {reaches.length === 0 ? (
        <p className="count">{isThere ? "There is no other pod here, or no port that is known of." : "It is gone."}</p>
      ) : (
        <Table label={`Who may reach ${pod}`} heads={["From", "Port", "May", "Why"]}>
          {reaches.map(({ from, port, allowed, because }) => (
            <tr key={`${from} ${port}`}>
              <Td of="From">{from}</Td>
              <Td of="Port">{port}</Td>
              <Td of="May">
                <Status word={allowed ? "let through" : "refused"} tone={allowed ? "good" : "plain"} />
              </Td>
              <Td of="Why">{because}</Td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}
