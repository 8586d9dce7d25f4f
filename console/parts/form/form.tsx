/** An object as a form, beside the YAML that it is: each follows the other. */
import { Form as PfForm, FormGroup, TextInput } from "@patternfly/react-core";
import { useId } from "react";
import type { Form as FormOf } from "../../model/forms.ts";
import { fromYaml, toYaml } from "../../model/yaml.ts";
import { Fields } from "./field.tsx";

interface FormProps {
  readonly form: FormOf;
  /** The YAML of one object. */
  readonly text: string;
  onChange(text: string): void;
}

/** While the YAML is no object the form waits. */
export function Form({ form, text, onChange }: FormProps) {
  const id = useId();
  const { objects } = fromYaml(text);
  const [object] = objects;
  if (object === undefined || objects.length > 1)
    return <p className="count">The form follows when the YAML is one object.</p>;
  const metadata = object.metadata ?? { name: "" };
  const isNew = metadata.resourceVersion === undefined;
  return (
    <PfForm
      className="object-form"
      onSubmit={(event) => event.preventDefault()}
      aria-label={`${form.kind.kind} as a form`}
    >
      <p className="count">{form.kind.description}</p>
      <FormGroup label="Name" fieldId={id} isRequired>
        <TextInput
          id={id}
          value={metadata.name ?? ""}
          isDisabled={!isNew}
          onChange={(_, name) => onChange(toYaml({ ...object, metadata: { ...metadata, name } }))}
        />
      </FormGroup>
      <Fields
        schema={form.spec}
        value={object.spec}
        onChange={(spec) => onChange(toYaml({ ...object, spec: spec as Record<string, unknown> }))}
      />
    </PfForm>
  );
}
