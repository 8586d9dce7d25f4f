/** One field of a form, by its schema. Lists and maps of plain values are lines of a text; what has no form is written in YAML. */
import { Button, Checkbox, FormGroup, FormSelect, FormSelectOption, TextArea, TextInput } from "@patternfly/react-core";
import { useId } from "react";
import { draftOf, type Schema, withField } from "../../model/forms.ts";
import { spoken } from "../../model/words.ts";
import { Hint } from "./hint.tsx";

interface FieldProps {
  readonly name: string;
  readonly schema: Schema;
  /** undefined: not said. */
  readonly value: unknown;
  readonly isRequired: boolean;
  onChange(value: unknown): void;
}

function Field(props: FieldProps) {
  const { type, items, properties, additionalProperties: values } = props.schema;
  if (type === "boolean") return <Switch {...props} />;
  if (props.schema.enum !== undefined) return <Choice {...props} options={props.schema.enum} />;
  if (items !== undefined) return <ListField {...props} items={items} />;
  if (properties !== undefined) return <Group {...props} />;
  if (values !== undefined && values.properties === undefined) return <Pairs {...props} values={values} />;
  return type === "object" ? <OnlyYaml {...props} /> : <Line {...props} />;
}

function ListField({ items, ...props }: FieldProps & { items: Schema }) {
  if (items.enum !== undefined) return <Choices {...props} options={items.enum} />;
  if (items.properties !== undefined) return <Entries {...props} items={items} />;
  return items.type === "string" ? <Lines {...props} /> : <OnlyYaml {...props} />;
}

/** The fields of an object, in the order of its schema. */
export function Fields({ schema, value, onChange }: Pick<FieldProps, "schema" | "value" | "onChange">) {
  const record = (value ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(schema.properties ?? {}).map(([name, each]) => (
    <Field
      key={name}
      name={name}
      schema={each}
      value={record[name]}
      isRequired={schema.required?.includes(name) === true}
      onChange={(next) => onChange(withField(record, name, next))}
    />
  ));
}

function Line({ name, schema, value, isRequired, onChange }: FieldProps) {
  const id = useId();
  const isNumber = schema.type === "integer";
  return (
    <FormGroup label={spoken(name)} fieldId={id} isRequired={isRequired}>
      <TextInput
        id={id}
        type={isNumber ? "number" : "text"}
        value={value === undefined ? "" : String(value as string | number)}
        onChange={(_, text) => onChange(lineValue(text, isNumber, isRequired))}
      />
      <Hint of={schema} />
    </FormGroup>
  );
}

function lineValue(text: string, isNumber: boolean, isRequired: boolean): string | number | undefined {
  if (text === "" && !isRequired) return undefined;
  return isNumber && text !== "" ? Number(text) : text;
}

function Switch({ name, schema, value, onChange }: FieldProps) {
  const id = useId();
  return (
    <Checkbox
      id={id}
      label={spoken(name)}
      description={schema.description}
      isChecked={value === true}
      onChange={(_, isChecked) => onChange(isChecked)}
    />
  );
}

function Choice({ name, schema, value, isRequired, onChange, options }: FieldProps & { options: readonly string[] }) {
  const id = useId();
  const usual = schema.default === undefined ? "not said" : `not said (${String(schema.default as string)})`;
  return (
    <FormGroup label={spoken(name)} fieldId={id} isRequired={isRequired}>
      <FormSelect id={id} value={value ?? ""} onChange={(_, next) => onChange(next === "" ? undefined : next)}>
        {!isRequired && <FormSelectOption value="" label={usual} />}
        {options.map((option) => (
          <FormSelectOption key={option} value={option} label={option} />
        ))}
      </FormSelect>
      <Hint of={schema} />
    </FormGroup>
  );
}

function Choices({ name, schema, value, onChange, options }: FieldProps & { options: readonly string[] }) {
  const chosen = (value ?? []) as readonly string[];
  const id = useId();
  return (
    <fieldset className="fields">
      <legend>{spoken(name)}</legend>
      {options.map((option) => (
        <Checkbox
          key={option}
          id={`${id}${option}`}
          label={option}
          isChecked={chosen.includes(option)}
          onChange={(_, is) => onChange(options.filter((each) => (each === option ? is : chosen.includes(each))))}
        />
      ))}
      <Hint of={schema} />
    </fieldset>
  );
}

function Lines({ name, schema, value, isRequired, onChange }: FieldProps) {
  const id = useId();
  const lines = (value ?? []) as readonly string[];
  return (
    <FormGroup label={spoken(name)} fieldId={id} isRequired={isRequired}>
      <TextArea
        id={id}
        rows={Math.max(2, lines.length)}
        value={lines.join("\n")}
        onChange={(_, text) => onChange(text === "" && !isRequired ? undefined : text.split("\n"))}
      />
      <Hint of={schema} more="One a line." />
    </FormGroup>
  );
}

function Pairs({ name, schema, value, onChange, values }: FieldProps & { values: Schema }) {
  const id = useId();
  const pairs = Object.entries((value ?? {}) as Readonly<Record<string, string | number>>);
  const read = (text: string): readonly [string, string | number] => {
    const [key = "", ...rest] = text.split("=");
    const said = rest.join("=");
    return [key.trim(), values.type === "integer" && /^\d+$/.test(said) ? Number(said) : said];
  };
  return (
    <FormGroup label={spoken(name)} fieldId={id}>
      <TextArea
        id={id}
        rows={Math.max(2, pairs.length)}
        value={pairs.map(([key, each]) => (each === "" ? key : `${key}=${each}`)).join("\n")}
        onChange={(_, text) => onChange(text === "" ? undefined : Object.fromEntries(text.split("\n").map(read)))}
      />
      <Hint of={schema} more="name=value, one a line." />
    </FormGroup>
  );
}

function Entries({ name, schema, value, onChange, items }: FieldProps & { items: Schema }) {
  const entries = (value ?? []) as readonly unknown[];
  const one = spoken(name).replace(/s$/, "");
  const set = (next: readonly unknown[]) => onChange(next.length === 0 ? undefined : next);
  return (
    <fieldset className="fields">
      <legend>{spoken(name)}</legend>
      <Hint of={schema} />
      {entries.map((entry, at) => (
        // Entries have no names: their place is who they are.
        // oxlint-disable-next-line react/no-array-index-key
        <fieldset key={at} className="fields" aria-label={`${one} ${at + 1}`}>
          <Fields schema={items} value={entry} onChange={(next) => set(entries.with(at, next))} />
          <Button variant="link" isInline onClick={() => set(entries.toSpliced(at, 1))}>
            Remove {one.toLowerCase()} {at + 1}
          </Button>
        </fieldset>
      ))}
      <Button variant="link" isInline onClick={() => set([...entries, draftOf(items)])}>
        Add {one.toLowerCase()}
      </Button>
    </fieldset>
  );
}

/** What need not be said is said by a tick: then what it must have is asked for. */
function Group({ name, schema, value, isRequired, onChange }: FieldProps) {
  const id = useId();
  const fields = <Fields schema={schema} value={value} onChange={onChange} />;
  if (!isRequired) {
    return (
      <div className="fields-choice">
        <Checkbox
          id={id}
          label={spoken(name)}
          description={schema.description}
          isChecked={value !== undefined}
          onChange={(_, isChecked) => onChange(isChecked ? draftOf(schema) : undefined)}
        />
        {value !== undefined && (
          <fieldset className="fields" aria-label={spoken(name)}>
            {fields}
          </fieldset>
        )}
      </div>
    );
  }
  return (
    <fieldset className="fields">
      <legend>{spoken(name)}</legend>
      <Hint of={schema} />
      {fields}
    </fieldset>
  );
}

function OnlyYaml({ name, schema }: FieldProps) {
  return (
    <div>
      <strong>{spoken(name)}</strong>
      <Hint of={schema} more="Written in the YAML beside." />
    </div>
  );
}
