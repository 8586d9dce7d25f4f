/** What a field is for, as its schema says. */
import { FormHelperText, HelperText, HelperTextItem } from "@patternfly/react-core";
import type { Schema } from "../../model/forms.ts";

/** @param more how it is written */
export function Hint({ of: { description = "" }, more = "" }: { of: Schema; more?: string }) {
  const text = [description, more].filter(Boolean).join(" ");
  if (text === "") return null;
  return (
    <FormHelperText>
      <HelperText>
        <HelperTextItem>{text}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}
