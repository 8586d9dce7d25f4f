/** The images that hosts hold: how large, where, and who runs them. */
import { EmptyState, EmptyStateBody, SearchInput } from "@patternfly/react-core";
import type { Node, Pod } from "@atoll/client/builtin";
import { matching } from "@atoll/portal/view/matching";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { worstOf } from "../../live/several.ts";
import { useObjects } from "../../live/use.ts";
import { spellBytes } from "../../model/amount.ts";
import { type Image, imagesOf } from "../../model/infrastructure.ts";
import { known } from "../../model/resources.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Refs } from "../../parts/refs.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { paths } from "../../paths.ts";

const nodes = known("nodes");
const pods = known("pods");

/** `/infrastructure/images` */
export function Page() {
  const { q = "" } = useSearch({ from: "/infrastructure/images" });
  const navigate = useNavigate();
  const [ofNodes, ofPods] = [useObjects(nodes), useObjects(pods)];
  const { phase, message } = worstOf([ofNodes, ofPods]);
  const all = useMemo(
    () => imagesOf(ofNodes.items as unknown as readonly Node[], ofPods.items as unknown as readonly Pod[]),
    [ofNodes, ofPods],
  );
  const shown = matching(all, q, ({ name, digest, hosts }) => [name, digest, ...hosts].join(" "));
  const bytes = all.reduce((sum, image) => sum + image.bytes * image.hosts.length, 0);
  const unused = all.filter(({ users }) => users.length === 0).length;
  return (
    <section className="page">
      <PageHead
        title="Images"
        beside={
          <span className="count">
            {all.length}, {spellBytes(bytes)} on all hosts, {unused} without a pod
          </span>
        }
        actions={
          <KubectlHint command="kubectl get nodes -o jsonpath='{range .items[*].status.images[*]}{.sizeBytes} {.names[0]}{&quot;\n&quot;}{end}'" />
        }
      />
      <div className="tools">
        <SearchInput
          className="tools-search"
          aria-label="Find in images"
          placeholder="Find by name, digest, host…"
          value={q}
          onChange={(_, value) => void navigate({ to: paths.images(value), replace: true })}
          onClear={() => void navigate({ to: paths.images(), replace: true })}
        />
      </div>
      <Freshness phase={phase} message={message} />
      {phase === "live" && shown.length === 0 && (
        <EmptyState
          titleText={q === "" ? "No host holds an image" : "No image has all these words"}
          headingLevel="h2"
          variant="sm"
        >
          <EmptyStateBody>A host fetches an image when the first pod that names it is to run there.</EmptyStateBody>
        </EmptyState>
      )}
      {shown.length > 0 && (
        <Table label="Images" heads={["Image", "Size", "Hosts", "Used by"]}>
          {shown.map((image) => (
            <Line key={image.digest || image.name} image={image} />
          ))}
        </Table>
      )}
    </section>
  );
}

function Line({ image: { name, digest, bytes, hosts, users } }: { image: Image }) {
  const named = hosts.map((host) => ({ namespace: "", name: host }));
  return (
    <tr>
      <Td of="Image">
        {name}
        {digest !== "" && <div className="quiet">{digest.slice(0, 19)}…</div>}
      </Td>
      <Td of="Size">{spellBytes(bytes)}</Td>
      <Td of="Hosts">
        <Refs resource={nodes} to={named} none="none" />
      </Td>
      <Td of="Used by">
        <Refs resource={pods} to={users} none="no pod" />
      </Td>
    </tr>
  );
}
