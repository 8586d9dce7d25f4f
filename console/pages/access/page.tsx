/** Who may do what on the clusters, by the AccessPolicies. */
import { Alert, Button, Form, FormGroup, Spinner, TextInput } from "@patternfly/react-core";
import { Table, Td } from "../../parts/table.tsx";
import { ClusterRole } from "@atoll/client/builtin";
import { deedOf, type Grant, whoCan } from "@atoll/fleet/explain/access";
import { readFleet } from "@atoll/fleet/explain/organization";
import { systemClock } from "@atoll/machinery/clock";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { hubClient } from "../../model/hub.ts";
import { resourceOfKind } from "../../model/resources.ts";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NamespaceChoice } from "../../parts/namespaces.tsx";
import { paths } from "../../paths.ts";

interface Question {
  readonly ns: string;
  readonly verb: string;
  /** RESOURCE[.GROUP][/SUBRESOURCE] */
  readonly resource: string;
}

/** `/fleet/access` */
export function Page() {
  const { ns = "default", verb = "", resource = "" } = useSearch({ from: "/fleet/access" });
  return (
    <section className="page">
      <PageHead
        title="Who can"
        actions={<KubectlHint command={`kubectl atoll access who-can ${verb || "VERB"} ${resource || "RESOURCE"}`} />}
      />
      <Asking key={`${ns} ${verb} ${resource}`} ns={ns} verb={verb || "delete"} resource={resource || "pods"} />
      {verb !== "" && resource !== "" && <Answer ns={ns} verb={verb} resource={resource} />}
    </section>
  );
}

function Asking({ ns, verb: given, resource: named }: Question) {
  const navigate = useNavigate();
  const [verb, setVerb] = useState(given);
  const [resource, setResource] = useState(named);
  const ask = () => void navigate({ to: paths.access({ ns, verb, resource }), replace: true });
  return (
    <>
      <div className="tools">
        <NamespaceChoice
          value={ns}
          onChange={(next) => void navigate({ to: paths.access({ ns: next || "default", verb, resource }) })}
        />
      </div>
      <Form
        className="one-line"
        aria-label="Who can"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <FormGroup label="Verb" fieldId="verb">
          <TextInput id="verb" value={verb} onChange={(_, next) => setVerb(next)} />
        </FormGroup>
        <FormGroup label="Resource" fieldId="resource">
          <TextInput id="resource" value={resource} onChange={(_, next) => setResource(next)} />
        </FormGroup>
        <Button type="submit">Ask</Button>
      </Form>
      <p className="count">As delete pods, create pods/exec, update deployments.apps.</p>
    </>
  );
}

function Answer({ ns, verb, resource }: Question) {
  const [grants, setGrants] = useState<readonly Grant[]>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    reckon({ ns, verb, resource }).then(setGrants, (error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  }, [ns, verb, resource]);
  if (failure !== "") return <Alert variant="warning" isInline title={failure} />;
  if (grants === undefined) return <Spinner aria-label="Reckoning" />;
  if (grants.length === 0)
    return (
      <p>
        By the AccessPolicies nobody may {verb} {resource}.
      </p>
    );
  return (
    <Table label="Who can" heads={["Who", "Cluster", "Where", "Role", "By", "Written for"]}>
      {grants.map((grant) => (
        <tr key={JSON.stringify(grant)}>
          <Td of="Who">{grant.subject}</Td>
          <Td of="Cluster">{grant.cluster}</Td>
          <Td of="Where">{grant.where}</Td>
          <Td of="Role">{grant.role}</Td>
          <Td of="By">
            <PolicyLink source={grant.policy} ns={ns} />
          </Td>
          <Td of="Written for">{grant.level}</Td>
        </tr>
      ))}
    </Table>
  );
}

/** @param source KIND/NAME */
function PolicyLink({ source, ns }: { source: string; ns: string }) {
  const [kind = "", name = ""] = source.split("/");
  const resource = resourceOfKind(kind);
  if (resource === undefined) return source;
  return (
    <Link className="inline" to={paths.object(resource, ns, name)}>
      {name}
    </Link>
  );
}

async function reckon({ ns, verb, resource }: Question): Promise<readonly Grant[]> {
  const client = hubClient();
  const [fleet, roles] = await Promise.all([readFleet(client, ns, systemClock.nowMs()), client.list(ClusterRole)]);
  const rules = new Map(roles.items.map(({ metadata, rules: of }) => [metadata.name ?? "", of ?? []]));
  return whoCan(deedOf(verb, resource), fleet, rules);
}
