/** Schemas of what requests carry beside objects: options, and the bodies of subresources. */
import { builtinSchema } from "./schemas.ts";

/** Metadata of every object. */
export const ObjectMetaSchema = builtinSchema("meta/v1", "ObjectMeta");
