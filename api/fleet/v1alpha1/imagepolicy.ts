import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { definePolicy } from "./policy.ts";

const names = (description: string) =>
  Type.optional(
    Type.list(Type.string({ description: "A name; * stands for any part.", minLength: 1, maxLength: 255 }), {
      description,
      maxItems: 100,
      "x-kubernetes-list-type": "set",
    }),
  );

/** `imagepolicies`: which images may run. */
export const ImagePolicy = definePolicy(
  {
    kind: "ImagePolicy",
    plural: "imagepolicies",
    description: "Which images may run. All that is said must hold.",
  },
  {
    registries: names("Registries that images may come from, as docker.io."),
    names: names("Repositories that images may be of, without the registry, as library/nginx or team/*."),
    tags: names("Tags that images may have."),
    blockTags: names("Tags that images must not have."),
    blockLatest: Type.optional(Type.boolean({ description: "No image without a tag, or with the tag latest." })),
    requireDigest: Type.optional(Type.boolean({ description: "Every image must be named by digest." })),
  },
  {
    "x-kubernetes-validations": [
      {
        rule: "has(self.registries) || has(self.names) || has(self.tags) || has(self.blockTags) || has(self.blockLatest) || has(self.requireDigest)",
        message: "say at least one of registries, names, tags, blockTags, blockLatest, requireDigest",
      },
    ],
  },
);
export type ImagePolicy = ObjectOf<typeof ImagePolicy>;
