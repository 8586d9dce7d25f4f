/** The order of API versions. Source: k8s.io/apimachinery/pkg/version (CompareKubeAwareVersionStrings) */

const kubeLike = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/** Stability, then numbers; undefined for names such as `foo1`. */
function rank(version: string): readonly [number, number, number] | undefined {
  const match = kubeLike.exec(version);
  if (match === null) return undefined;
  const stability = { alpha: 0, beta: 1 }[match[2] ?? ""] ?? 2;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * For sort(): the version to prefer comes first, as v10, v2, v1, v11beta2, v10beta3, v12alpha1, foo1, foo10.
 */
export function compareVersions(a: string, b: string): number {
  const left = rank(a);
  const right = rank(b);
  if (left === undefined && right === undefined) return compareText(a, b);
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}
