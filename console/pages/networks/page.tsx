/** The network of the hosts, and how guests are reached from outside. */
import type { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import type { HostVM } from "@atoll/api/supervisor/v1alpha1/hostvm";
import type { Node, Service } from "@atoll/client/builtin";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { worstOf } from "../../live/several.ts";
import { useObjects } from "../../live/use.ts";
import { type Entrance, entrancesOf, hostsOf, type Wire, wiresOf } from "../../model/infrastructure.ts";
import { known } from "../../model/resources.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Status } from "../../parts/status.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { paths } from "../../paths.ts";

const nodes = known("nodes");
const networks = known("hostnetworks.supervisor.atoll.dev");
const machines = known("hostvms.supervisor.atoll.dev");
const services = known("services");
const none: Parameters<typeof hostsOf>[2] = new Map();

/** `/infrastructure/networks` */
export function Page() {
  const [ofNodes, ofNetworks, ofMachines, ofServices] = [
    useObjects(nodes),
    useObjects(networks),
    useObjects(machines),
    useObjects(services),
  ];
  const { phase, message } = worstOf([ofNodes, ofNetworks, ofMachines, ofServices]);
  const wires = useMemo(
    () =>
      wiresOf(
        hostsOf(ofNodes.items as unknown as readonly Node[], [], none),
        ofNetworks.items as unknown as readonly HostNetwork[],
        ofMachines.items as unknown as readonly HostVM[],
      ),
    [ofNodes, ofNetworks, ofMachines],
  );
  const entrances = useMemo(() => entrancesOf(ofServices.items as unknown as readonly Service[]), [ofServices]);
  return (
    <section className="page">
      <PageHead title="Networks" actions={<KubectlHint command="kubectl get hostnetworks,services -A -o wide" />} />
      <Freshness phase={phase} message={message} />
      <h2 className="small-head">Between hosts</h2>
      {wires.length === 0 ? <p className="count">No hosts yet.</p> : <Wires wires={wires} />}
      <h2 className="small-head">
        From outside <span className="count">{entrances.length}</span>
      </h2>
      {entrances.length === 0 ? (
        <p className="count">
          Nothing is reached from outside. A Service of type LoadBalancer gets an address of the pool, or a host&apos;s
          own.
        </p>
      ) : (
        <Entrances entrances={entrances} />
      )}
    </section>
  );
}

function Wires({ wires }: { wires: readonly Wire[] }) {
  return (
    <Table label="Between hosts" heads={["Host", "Address", "Range of its pods", "Guests", "Overlay", "Knows of"]}>
      {wires.map(({ name, address, ranges, overlay, peers, known: pods, guests }) => (
        <tr key={name}>
          <Td of="Host">
            <Link to={paths.object(nodes, undefined, name)}>{name}</Link>
          </Td>
          <Td of="Address">{address}</Td>
          <Td of="Range of its pods">{ranges.join(", ")}</Td>
          <Td of="Guests">{guests}</Td>
          <Td of="Overlay">
            {overlay === undefined ? "none" : <Link to={paths.object(networks, undefined, name)}>VXLAN {overlay}</Link>}
          </Td>
          <Td of="Knows of">
            {peers} other {peers === 1 ? "host" : "hosts"}, {pods} of their pods
          </Td>
        </tr>
      ))}
    </Table>
  );
}

function Entrances({ entrances }: { entrances: readonly Entrance[] }) {
  return (
    <Table label="From outside" heads={["Service", "Type", "Reached at", "Answered by"]}>
      {entrances.map(({ uid, namespace, name, type, places, host, problem }) => (
        <tr key={uid}>
          <Td of="Service">
            <Link to={paths.object(services, namespace, name)}>
              {namespace}/{name}
            </Link>
          </Td>
          <Td of="Type">{type}</Td>
          <Td of="Reached at">
            {problem === "" ? places.join(", ") || "an address is looked for" : <Status word={problem} tone="bad" />}
          </Td>
          <Td of="Answered by">
            {host === "" ? (
              (type === "NodePort" && "every host") || "nobody yet"
            ) : (
              <Link to={paths.object(nodes, undefined, host)}>{host}</Link>
            )}
          </Td>
        </tr>
      ))}
    </Table>
  );
}
