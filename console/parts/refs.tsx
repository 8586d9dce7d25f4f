/** Links to objects, a few of them, and how many more there are. */
import { Link } from "@tanstack/react-router";
import type { Named } from "../model/infrastructure.ts";
import type { Resource } from "../model/resources.ts";
import { paths } from "../paths.ts";

const most = 8;

/** @param props `none`: what stands where there are none */
export function Refs({ resource, to, none }: { resource: Resource; to: readonly Named[]; none: string }) {
  if (to.length === 0) return <span className="count">{none}</span>;
  return (
    <>
      {to.slice(0, most).map(({ namespace, name }, index) => (
        <span key={`${namespace}/${name}`}>
          {index > 0 && ", "}
          <Link to={paths.object(resource, namespace, name)}>{namespace === "" ? name : `${namespace}/${name}`}</Link>
        </span>
      ))}
      {to.length > most && <span className="count"> and {to.length - most} more</span>}
    </>
  );
}
