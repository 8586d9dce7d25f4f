/**
 * `$(NAME)` in commands, arguments, values of variables and subPathExpr.
 * Source: k8s.io/kubernetes/third_party/forked/golang/expansion
 */

/** Puts in what `lookUp` knows; other references stay as they are. `$$` is a dollar sign. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole: string, after: string, name: string | undefined) => {
    if (after === "$") return "$";
    return lookUp(name ?? "") ?? whole;
  });
}
