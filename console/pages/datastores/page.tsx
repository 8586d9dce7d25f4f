/** Where disks lie: storage policies with their disks, and the datastores that hosts share. */
import { EmptyState, EmptyStateBody, Label } from "@patternfly/react-core";
import type { PersistentVolume, Pod, StorageClass } from "@atoll/client/builtin";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { worstOf } from "../../live/several.ts";
import { useObjects } from "../../live/use.ts";
import { spellBytes } from "../../model/amount.ts";
import { type Disk, type Store, storesOf } from "../../model/infrastructure.ts";
import { known } from "../../model/resources.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Refs } from "../../parts/refs.tsx";
import { Status } from "../../parts/status.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { paths } from "../../paths.ts";

const classes = known("storageclasses.storage.k8s.io");
const volumes = known("persistentvolumes");
const claims = known("persistentvolumeclaims");
const pods = known("pods");
const nodes = known("nodes");
const datastores = known("datastores.supervisor.atoll.dev");

/** `/infrastructure/datastores` */
export function Page() {
  const [ofClasses, ofVolumes, ofPods] = [useObjects(classes), useObjects(volumes), useObjects(pods)];
  const { phase, message } = worstOf([ofClasses, ofVolumes, ofPods]);
  const stores = useMemo(
    () =>
      storesOf(
        ofClasses.items as unknown as readonly StorageClass[],
        ofVolumes.items as unknown as readonly PersistentVolume[],
        ofPods.items as unknown as readonly Pod[],
      ),
    [ofClasses, ofVolumes, ofPods],
  );
  return (
    <section className="page">
      <PageHead
        title="Storage"
        beside={
          <span className="count">
            {ofVolumes.items.length} {ofVolumes.items.length === 1 ? "disk" : "disks"},{" "}
            {spellBytes(stores.reduce((sum, { bytes }) => sum + bytes, 0))}
          </span>
        }
        actions={<KubectlHint command="kubectl get storageclasses,persistentvolumes" />}
      />
      <Freshness phase={phase} message={message} />
      {phase === "live" && stores.length === 0 && (
        <EmptyState titleText="No storage policies" headingLevel="h2" variant="sm">
          <EmptyStateBody>
            Make a StorageClass with the provisioner <code>disk.atoll.dev</code>: claims that name it get disks on
            hosts.
          </EmptyStateBody>
        </EmptyState>
      )}
      {stores.map((store) => (
        <OneStore key={store.name} store={store} />
      ))}
    </section>
  );
}

function OneStore({ store: { name, provisioner, isDefault, keeps, datastore, bytes, disks } }: { store: Store }) {
  return (
    <section className="panel" aria-label={name}>
      <header>
        <h2 className="panel-title">
          {provisioner === "" ? (
            name || "Of no policy"
          ) : (
            <Link to={paths.object(classes, undefined, name)}>{name}</Link>
          )}
        </h2>
        {isDefault && <Label isCompact>default</Label>}
        <span className="count">
          {spellBytes(bytes)} in {disks.length} {disks.length === 1 ? "disk" : "disks"}
          {keeps !== "" && `, ${keeps === "Retain" ? "kept" : "deleted"} when the claim goes`}
          {", "}
          {datastore === "" ? (
            "on the hosts themselves"
          ) : (
            <>
              on datastore{" "}
              <Link className="inline" to={paths.object(datastores, undefined, datastore)}>
                {datastore}
              </Link>
            </>
          )}
        </span>
      </header>
      {disks.length === 0 ? (
        <p className="count">No disk yet: the first claim that names this policy gets one when a pod uses it.</p>
      ) : (
        <Table label={`Disks of ${name}`} heads={["Disk", "Size", "State", "Claim", "Hosts", "Used by"]}>
          {disks.map((disk) => (
            <Line key={disk.uid} disk={disk} />
          ))}
        </Table>
      )}
    </section>
  );
}

function Line({ disk: { name, bytes, state, claim, hosts, users } }: { disk: Disk }) {
  return (
    <tr>
      <Td of="Disk">
        <Link to={paths.object(volumes, undefined, name)}>{name}</Link>
      </Td>
      <Td of="Size">{spellBytes(bytes)}</Td>
      <Td of="State">
        <Status word={state} />
      </Td>
      <Td of="Claim">
        <Refs resource={claims} to={claim === undefined ? [] : [claim]} none="none" />
      </Td>
      <Td of="Hosts">
        <Refs resource={nodes} to={hosts.map((host) => ({ namespace: "", name: host }))} none="any" />
      </Td>
      <Td of="Used by">
        <Refs resource={pods} to={users} none="no pod" />
      </Td>
    </tr>
  );
}
