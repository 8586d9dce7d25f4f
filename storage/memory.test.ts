import { runConformance } from "./conformance.ts";
import { openMemory } from "./memory.ts";

runConformance("memory", async () => {
  const store = openMemory();
  return { store, dispose: () => store.close() };
});
