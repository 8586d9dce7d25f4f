/** One object. */
import { useParams } from "@tanstack/react-router";
import { PageHead } from "../../parts/head.tsx";

/** `/k/$slug/$namespace/$name` */
export function Page() {
  const { name } = useParams({ from: "/k/$slug/$namespace/$name" });
  return (
    <section className="page">
      <PageHead title={name} />
    </section>
  );
}
