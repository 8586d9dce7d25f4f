/** Every host with what it has, what of it is promised, and what is used. */
import { Bullseye, EmptyState, EmptyStateBody, Spinner } from "@patternfly/react-core";
import type { Node, Pod } from "@atoll/client/builtin";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useLoads } from "../../live/loads.ts";
import { worstOf } from "../../live/several.ts";
import { useObjects } from "../../live/use.ts";
import { spellBytes, spellCores } from "../../model/amount.ts";
import { type Host, hostsOf, type Load, type Share } from "../../model/infrastructure.ts";
import { known } from "../../model/resources.ts";
import { Age } from "../../parts/age.tsx";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Meter } from "../../parts/meter.tsx";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";

const nodes = known("nodes");
const pods = known("pods");

/** `/infrastructure/hosts` */
export function Page() {
  const [ofNodes, ofPods, loads] = [useObjects(nodes), useObjects(pods), useLoads()];
  const { phase, message } = worstOf([ofNodes, ofPods]);
  const hosts = useMemo(
    () => hostsOf(ofNodes.items as unknown as readonly Node[], ofPods.items as unknown as readonly Pod[], loads),
    [ofNodes, ofPods, loads],
  );
  return (
    <section className="page">
      <PageHead
        title="Capacity"
        beside={
          <span className="count">
            {hosts.length} {hosts.length === 1 ? "host" : "hosts"}
          </span>
        }
        actions={<KubectlHint command="kubectl top nodes" />}
      />
      <Freshness phase={phase} message={message} />
      {phase === "loading" && hosts.length === 0 && (
        <Bullseye>
          <Spinner aria-label="Loading" />
        </Bullseye>
      )}
      {phase === "live" && hosts.length === 0 && (
        <EmptyState titleText="No hosts yet" headingLevel="h2" variant="sm">
          <EmptyStateBody>
            A host joins with the command that <code>atoll host token</code> prints; it appears here when it is ready.
          </EmptyStateBody>
        </EmptyState>
      )}
      {hosts.length > 1 && <Whole hosts={hosts} />}
      <div className="panels is-wide">
        {hosts.map((host) => (
          <One key={host.uid} host={host} load={loads.get(host.name)} />
        ))}
      </div>
    </section>
  );
}

function Whole({ hosts }: { hosts: readonly Host[] }) {
  return (
    <div className="panel">
      <header>All hosts together</header>
      <Meter name="Processors" share={sumOf(hosts.map(({ cpu }) => cpu))} spell={spellCores} />
      <Meter name="Memory" share={sumOf(hosts.map(({ memory }) => memory))} spell={spellBytes} />
    </div>
  );
}

/** What is not measured everywhere is not known of all. */
function sumOf(shares: readonly Share[]): Share {
  const sum = (of: (share: Share) => number) => shares.reduce((total, share) => total + of(share), 0);
  const isMeasured = shares.every(({ used }) => used !== undefined);
  return {
    of: sum((share) => share.of),
    promised: sum(({ promised }) => promised),
    used: isMeasured ? sum(({ used = 0 }) => used) : undefined,
  };
}

function One({ host, load }: { host: Host; load: Load | undefined }) {
  const guests: Share = { of: host.mostGuests, promised: host.guests, used: undefined };
  return (
    <article className="panel" aria-label={host.name}>
      <header>
        <Link to={paths.object(nodes, undefined, host.name)}>{host.name}</Link>
        <Status word={host.state} />
        <span className="count">{host.address}</span>
      </header>
      <Meter name="Processors" share={host.cpu} spell={spellCores} />
      <Meter name="Memory" share={host.memory} spell={spellBytes} />
      <Meter name="Guests" share={guests} word="" spell={String} />
      <p className="count">
        Disk {spellBytes(host.diskBytes)}
        {host.accelerator !== "" && `, ${host.accelerator}`}
        {load === undefined ? (
          ", not measured yet"
        ) : (
          <>
            , measured <Age since={load.timestamp} /> ago by the metrics API
          </>
        )}
      </p>
    </article>
  );
}
