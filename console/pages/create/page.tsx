/** Making something from YAML. */
import { PageHead } from "../../parts/head.tsx";

/** `/create` */
export function Page() {
  return (
    <section className="page">
      <PageHead title="Create" />
    </section>
  );
}
