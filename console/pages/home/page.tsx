/** The first page: for now, the pods. */
import { Navigate } from "@tanstack/react-router";
import { resourceOf } from "../../model/resources.ts";
import { paths } from "../../paths.ts";

/** `/` */
export function Page() {
  const pods = resourceOf("pods");
  return pods === undefined ? null : <Navigate to={paths.list(pods)} replace />;
}
