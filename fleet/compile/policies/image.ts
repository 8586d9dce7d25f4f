/** ImagePolicy: which images may run. */
import type { ImagePolicy } from "@atoll/api/fleet/v1alpha1/imagepolicy";
import { admissionPolicy, onCreateAndUpdate } from "./admission.ts";
import type { Envelope, Output } from "./envelope.ts";
import { podVariables, type Validation } from "./podrules.ts";

/**
 * The parts of an image's name. The first part is a registry when it has a dot or a port, or is localhost.
 * Source: github.com/distribution/reference
 */
const variables = [
  ...podVariables.filter(({ name }) => name === "containers"),
  {
    name: "images",
    expression:
      "variables.containers.map(c, string(c.image)).map(i, {'whole': i, 'bare': i.split('@')[0]})" +
      ".map(i, {'whole': i.whole, 'tag': i.bare.matches(':[^/]*$') ? i.bare.split(':')[size(i.bare.split(':')) - 1] : ''," +
      " 'path': i.bare.matches(':[^/]*$') ? i.bare.substring(0, i.bare.lastIndexOf(':')) : i.bare})" +
      ".map(i, {'whole': i.whole, 'tag': i.tag," +
      " 'registry': i.path.matches('^([^/]*[.:][^/]*|localhost)/') ? i.path.split('/')[0] : 'docker.io'," +
      " 'name': i.path.matches('^([^/]*[.:][^/]*|localhost)/') ? i.path.substring(i.path.indexOf('/') + 1)" +
      " : i.path.contains('/') ? i.path : 'library/' + i.path})",
  },
];

/** Pods as they are made, and as containers are added to them. */
export function imageObjects({ spec }: ImagePolicy, envelope: Envelope): readonly Output[] {
  return admissionPolicy(envelope, {
    rules: [{ ...onCreateAndUpdate, apiGroups: [""], resources: ["pods", "pods/ephemeralcontainers"] }],
    variables,
    validations: validationsOf(spec),
  });
}

function validationsOf(spec: ImagePolicy["spec"]): readonly Validation[] {
  const found: Validation[] = [];
  const all = (rule: string, message: string) =>
    found.push({ expression: `variables.images.all(i, ${rule})`, message: `images: ${message}` });
  const { registries, names, tags, blockTags, blockLatest, requireDigest } = spec;
  if (registries !== undefined) all(oneOf("i.registry", registries), `only from ${registries.join(", ")}`);
  if (names !== undefined) all(oneOf("i.name", names), `only ${names.join(", ")}`);
  if (tags !== undefined) all(oneOf("i.tag", tags), `only with tag ${tags.join(", ")}`);
  if (blockTags !== undefined) all(`!(${oneOf("i.tag", blockTags)})`, `not with tag ${blockTags.join(", ")}`);
  if (blockLatest === true) {
    all("i.whole.contains('@') || !(i.tag in ['', 'latest'])", "must have a tag other than latest, or a digest");
  }
  if (requireDigest === true) all("i.whole.matches('@sha256:[a-f0-9]{64}$')", "must be named by digest");
  return found;
}

/** Whether a text is one of some names in which * stands for any part. */
function oneOf(text: string, patterns: readonly string[]): string {
  const pattern = patterns.map((name) => name.replace(/[^a-zA-Z0-9*/]/g, "\\$&").replaceAll("*", ".*")).join("|");
  return `${text}.matches(${quoted(`^(${pattern})$`)})`;
}

/** A CEL text. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
