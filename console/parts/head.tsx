/** The head of a page: what it shows, and what can be done. */
import { Title } from "@patternfly/react-core";
import type { ReactNode } from "react";

interface HeadProps {
  readonly title: string;
  /** What stands over the title: where this is. */
  readonly over?: ReactNode;
  /** Beside the title. */
  readonly beside?: ReactNode;
  /** To the right: what can be done. */
  readonly actions?: ReactNode;
}

/** One of each page, with its h1. */
export function PageHead({ title, over, beside, actions }: HeadProps) {
  return (
    <header className="page-head">
      {over !== undefined && <div className="page-over">{over}</div>}
      <div className="page-line">
        <Title headingLevel="h1" size="xl">
          {title}
        </Title>
        {beside}
        <div className="page-actions">{actions}</div>
      </div>
    </header>
  );
}
