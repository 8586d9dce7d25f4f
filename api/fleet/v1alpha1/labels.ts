/** A label selector as a schema. Source: metav1.LabelSelector */
import { Type } from "@atoll/machinery/schema/type";

/** @param description what the labels are of */
export function labelSelector(description: string) {
  return Type.object(
    {
      matchLabels: Type.optional(
        Type.map(Type.string({ description: "Value." }), { description: "Labels that must be." }),
      ),
      matchExpressions: Type.optional(
        Type.list(
          Type.object({
            key: Type.string({ description: "The label." }),
            operator: Type.oneOf(["In", "NotIn", "Exists", "DoesNotExist"], { description: "How it is judged." }),
            values: Type.optional(
              Type.list(Type.string({ description: "Value." }), { description: "Values for In and NotIn." }),
            ),
          }),
          { description: "Conditions on labels." },
        ),
      ),
    },
    { description },
  );
}
