/** Which namespace is shown. */
import { FormSelect, FormSelectOption } from "@patternfly/react-core";
import { mostSeen } from "@atoll/portal/view/view";
import { useTable } from "../live/use.ts";
import { resourceOf } from "../model/resources.ts";

const namespaces = resourceOf("namespaces");

/** @param value "" for all */
export function NamespaceChoice({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  if (namespaces === undefined) return null;
  return <Choice value={value} onChange={onChange} resource={namespaces} />;
}

function Choice({
  value,
  onChange,
  resource,
}: Parameters<typeof NamespaceChoice>[0] & { resource: typeof namespaces & object }) {
  const { rows } = useTable(resource, {}, { to: mostSeen });
  const names = rows.map(({ metadata }) => metadata.name);
  // The chosen one is shown even if the person may not list namespaces.
  const all = [...new Set([...names, ...(value === "" ? [] : [value])])].sort();
  return (
    <FormSelect className="tools-namespace" aria-label="Namespace" value={value} onChange={(_, next) => onChange(next)}>
      <FormSelectOption value="" label="All namespaces" />
      {all.map((name) => (
        <FormSelectOption key={name} value={name} label={name} />
      ))}
    </FormSelect>
  );
}
