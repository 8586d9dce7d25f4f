/**
 * Finding this repository's own modules by their names alone. Node looks for each on the disk, its package and where
 * links lead, which is a fifth of the time that a process takes to start.
 */
import { registerHooks } from "node:module";

const root = new URL("..", import.meta.url).href;
const scope = "@atoll/";
const own = { format: "module-typescript", shortCircuit: true } as const;

/** From now on, `@atoll/PACKAGE/MODULE` is PACKAGE/MODULE.ts, as each package.json says; so are relative names. */
export function resolveOwnModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith(scope) && specifier.includes("/", scope.length)) {
        return { url: `${root}${specifier.slice(scope.length)}.ts`, ...own };
      }
      if (specifier.startsWith(".") && specifier.endsWith(".ts") && context.parentURL?.startsWith(root) === true) {
        return { url: new URL(specifier, context.parentURL).href, ...own };
      }
      return next(specifier, context);
    },
  });
}
