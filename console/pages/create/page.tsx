/** Making something: written as YAML or as a form, judged by the server, compared, saved. */
import { Bullseye, Spinner } from "@patternfly/react-core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ask } from "../../model/call.ts";
import { bare, drafts } from "../../model/draft.ts";
import { type Form, formOf, startOf } from "../../model/forms.ts";
import type { AnyObject } from "../../model/object.ts";
import { KindBook } from "../../model/openapi.ts";
import { placedKind, type Resource, slugOf } from "../../model/resources.ts";
import { toYaml } from "../../model/yaml.ts";
import { useConsole } from "../../parts/context.ts";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Write } from "../../parts/write.tsx";
import { paths } from "../../paths.ts";

const example = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports: [{containerPort: 8080}]
`;

/** `/create` */
export function Page() {
  const { ns = "", kind: named = "" } = useSearch({ from: "/create" });
  const { titledOf, ofObject } = useConsole();
  const navigate = useNavigate();
  // A kind is named as in other URLs, or, where it has a place, as it calls itself.
  const resource = titledOf(named) ?? ofObject(named);
  const form = formOf(resource === undefined ? "" : placedKind(resource));
  const text = useStart(resource, form, ns);

  function show([first]: readonly AnyObject[]) {
    const made = ofObject(first?.kind ?? "", first?.apiVersion);
    const { name = "", namespace } = first?.metadata ?? {};
    void navigate({ to: made === undefined ? paths.home() : paths.object(made, namespace, name) });
  }

  const place = `in ${ns || "default"}, unless it says otherwise`;
  return (
    <section className="page">
      <PageHead
        title={resource === undefined ? "Create from YAML" : `Create ${resource.kind}`}
        beside={<span className="count">{resource?.namespaced === false ? "for the whole cluster" : place}</span>}
        actions={<KubectlHint command={`kubectl apply -n ${ns || "default"} -f FILE`} />}
      />
      {text === undefined ? (
        <Bullseye>
          <Spinner aria-label="Loading" />
        </Bullseye>
      ) : (
        <Write
          key={named}
          kind={form === undefined ? "" : form.kind.kind}
          text={text}
          namespace={ns || "default"}
          onSaved={show}
        />
      )}
    </section>
  );
}

/** What is written first; undefined while the server is asked what the kind must have. */
function useStart(resource: Resource | undefined, form: Form | undefined, ns: string): string | undefined {
  const isExample = resource === undefined || slugOf(resource) === "deployments.apps";
  const [drafted, setDrafted] = useState<string>();
  useEffect(() => {
    if (isExample || form !== undefined) return;
    let isGone = false;
    const show = (object: AnyObject) => {
      if (!isGone) setDrafted(toYaml(object));
    };
    // Who cannot be told what is needed can write all the same.
    drafts(resource, ns, new KindBook(ask)).then(show, () => show(bare(resource, ns)));
    return () => {
      isGone = true;
    };
  }, [resource, form, ns, isExample]);
  if (form !== undefined) return toYaml(startOf(form, ns));
  return isExample ? example : drafted;
}
