/**
 * `npm run who -- KIND`: which controllers read and write a kind, and what of it.
 */
import { controllers } from "@atoll/controllers/index";
import type { AnyResource } from "@atoll/client/resource";
import { groupResource } from "@atoll/client/resource";

/** A controller's dealings with a kind; undefined when it has none. */
function dealings(controller: ReturnType<typeof controllers>[number], wanted: string): readonly string[] {
  const isMeant = (resource: AnyResource | "any") =>
    resource === "any" ||
    [resource.kind, resource.plural, groupResource(resource)].some(
      (name) => name.toLowerCase() === wanted.toLowerCase(),
    );
  const writes = controller.writes
    .filter(({ resource }) => isMeant(resource))
    .map(({ resource, part }) => `writes ${resource === "any" ? "any object" : groupResource(resource)}: ${part}`);
  const reads = controller.reads
    .filter(isMeant)
    .map((resource) => `reads ${resource === "any" ? "everything" : groupResource(resource)}`);
  return [...new Set([...reads, ...writes])];
}

function main([wanted]: readonly string[]): number {
  if (wanted === undefined) {
    process.stderr.write("usage: npm run who -- KIND, as Pod or deployments.apps\n");
    return 2;
  }
  for (const controller of controllers({ ca: "" })) {
    const lines = dealings(controller, wanted);
    if (lines.length > 0) process.stdout.write(`${controller.name}\n${lines.map((line) => `  ${line}\n`).join("")}`);
  }
  return 0;
}

process.exitCode = main(process.argv.slice(2));
