/** The organization as a tree, and at each place of it the policies that hold: written there, or inherited. */
import { Button } from "@patternfly/react-core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useFleet } from "../../live/fleet.ts";
import { type Branch, holdingsAt, type Spot, treeOf } from "../../model/fleet.ts";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { Holdings } from "../../parts/holdings.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NamespaceChoice } from "../../parts/namespaces.tsx";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";

/** `/fleet/groups` */
export function Page() {
  const { ns = "default", at = "" } = useSearch({ from: "/fleet/groups" });
  const navigate = useNavigate();
  const { grown, policies, phase, message } = useFleet(ns);
  const spot = spotOf(at, ns);
  const holdings = holdingsAt(spot, grown, policies);
  return (
    <section className="page">
      <PageHead
        title="Groups and policies"
        actions={
          <>
            <KubectlHint command={`kubectl get clustergroups,fleetclusters -n ${ns}`} />
            <Button component={(props: object) => <Link {...props} to={paths.create(ns, "ClusterGroup")} />}>
              Create group
            </Button>
          </>
        }
      />
      <div className="tools">
        <NamespaceChoice
          value={ns}
          onChange={(next) => void navigate({ to: paths.groups(next || "default"), replace: true })}
        />
      </div>
      <Freshness phase={phase} message={message} />
      <div className="tree-page">
        <nav aria-label="Organization">
          <ul className="tree">
            <Twig branch={treeOf(grown)} ns={ns} chosen={spot} />
          </ul>
        </nav>
        <section aria-label="Policies of what is chosen" className="stack">
          <h2 className="small-head">
            {spot.kind} <Name spot={spot} ns={ns} />
          </h2>
          <Holdings holdings={holdings} />
        </section>
      </div>
    </section>
  );
}

/** `group/prod`, `cluster/paris`; anything else is the organization. */
function spotOf(text: string, organization: string): Spot {
  const [kind = "", name = ""] = text.split("/");
  if (kind === "group" || kind === "cluster") return { kind, name };
  return { kind: "organization", name: organization };
}

const resources: Readonly<Record<Spot["kind"], Resource | undefined>> = {
  organization: undefined,
  group: resourceOf("clustergroups.fleet.atoll.dev"),
  cluster: resourceOf("fleetclusters.fleet.atoll.dev"),
};

function Name({ spot: { kind, name }, ns }: { spot: Spot; ns: string }) {
  const resource = resources[kind];
  if (resource === undefined) return name;
  return (
    <Link className="inline" to={paths.object(resource, ns, name)}>
      {name}
    </Link>
  );
}

function Twig({ branch, ns, chosen }: { branch: Branch; ns: string; chosen: Spot }) {
  const { kind, name, phase, branches } = branch;
  const isHere = kind === chosen.kind && name === chosen.name;
  return (
    <li>
      <Link
        to={paths.groups(ns, kind === "organization" ? undefined : `${kind}/${name}`)}
        aria-current={isHere ? "true" : undefined}
        replace
      >
        {name} {kind === "cluster" ? <Status word={phase} /> : <span className="count">{kind}</span>}
      </Link>
      {branches.length > 0 && (
        <ul>
          {branches.map((each) => (
            <Twig key={`${each.kind}/${each.name}`} branch={each} ns={ns} chosen={chosen} />
          ))}
        </ul>
      )}
    </li>
  );
}
