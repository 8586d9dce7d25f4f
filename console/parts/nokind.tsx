/** For a kind that is not served: perhaps it is since a moment ago, and the server is asked again. */
import { Bullseye, EmptyState, EmptyStateBody, Spinner } from "@patternfly/react-core";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { paths } from "../paths.ts";
import { useConsole } from "./context.ts";

/** @param slug the kind's name in the URL */
export function NoKind({ slug }: { slug: string }) {
  const { rediscover } = useConsole();
  const [isAsked, setAsked] = useState(false);
  useEffect(() => {
    void rediscover().then(() => setAsked(true));
    // Asked once for each kind.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [slug]);
  if (!isAsked) {
    return (
      <Bullseye>
        <Spinner aria-label="Loading" />
      </Bullseye>
    );
  }
  return (
    <EmptyState titleText={`The server serves no ${slug}`} headingLevel="h1">
      <EmptyStateBody>
        Its definition was deleted, or never was.{" "}
        <Link className="inline" to={paths.kinds()}>
          All kinds that there are
        </Link>
      </EmptyStateBody>
    </EmptyState>
  );
}
