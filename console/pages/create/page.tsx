/** Making something: written as YAML or as a form, judged by the server, compared, saved. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { formOf, startOf } from "../../model/forms.ts";
import type { AnyObject } from "../../model/object.ts";
import { resourceOfKind } from "../../model/resources.ts";
import { toYaml } from "../../model/yaml.ts";
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
  const { ns = "", kind = "" } = useSearch({ from: "/create" });
  const form = formOf(kind);
  const navigate = useNavigate();

  function show([first]: readonly AnyObject[]) {
    const resource = resourceOfKind(first?.kind ?? "");
    const { name = "", namespace } = first?.metadata ?? {};
    void navigate({ to: resource === undefined ? paths.home() : paths.object(resource, namespace, name) });
  }

  return (
    <section className="page">
      <PageHead
        title={form === undefined ? "Create from YAML" : `Create ${kind}`}
        beside={<span className="count">in {ns || "default"}, unless it says otherwise</span>}
        actions={<KubectlHint command={`kubectl apply -n ${ns || "default"} -f FILE`} />}
      />
      <Write
        key={kind}
        kind={kind}
        text={form === undefined ? example : toYaml(startOf(form, ns))}
        namespace={ns || "default"}
        onSaved={show}
      />
    </section>
  );
}
