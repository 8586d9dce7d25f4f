/** Writing objects: YAML, and beside it a form where the kind has one; reviewed, then saved. */
import { formOf } from "../model/forms.ts";
import { locate } from "../model/locate.ts";
import type { AnyObject } from "../model/object.ts";
import { Form } from "./form/form.tsx";
import { Review } from "./review.tsx";

interface WriteProps {
  readonly text: string;
  /** The kind that the text is of, where that is known. */
  readonly kind: string;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  onSaved(objects: readonly AnyObject[]): void;
}

/** The editor of every page that writes. */
export function Write({ kind, ...review }: WriteProps) {
  const form = formOf(kind);
  if (form === undefined) return <Review locate={locate} {...review} />;
  return (
    <Review
      locate={locate}
      {...review}
      beside={(text, onChange) => <Form form={form} text={text} onChange={onChange} />}
    />
  );
}
