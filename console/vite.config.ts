/** How the page is built: processes/consolebundle.ts runs this. */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig, type Plugin } from "vite";

const root = join(import.meta.dirname, "..");
const isOwn = (id: string): boolean => id.startsWith(root) && !id.includes("node_modules");

/** Writes which files of ours the page was made of: those that its modules are, and those that it takes as they are. */
function sourcesOf(): Plugin {
  return {
    name: "atoll-sources",
    generateBundle() {
      const ids = [...this.getModuleIds()];
      // A page has no Node: what it imports of other packages must not touch it.
      const strange = ids.find((id) => id.startsWith("__vite-browser-external"));
      if (strange !== undefined)
        this.error(`something that the page imports needs ${strange.split(":").slice(1).join(":")}`);
      const modules = ids.map((id) => id.split("?")[0] ?? "").filter(isOwn);
      const fixed = ["index.html", "package.json", "vite.config.ts", ...published()];
      const all = [...modules, ...fixed.map((name) => join(import.meta.dirname, name))];
      const names = [...new Set(all.map((path) => relative(root, path)))].toSorted();
      this.emitFile({ type: "asset", fileName: "sources.list", source: JSON.stringify(names) });
    },
  };
}

const published = (): readonly string[] =>
  readdirSync(join(import.meta.dirname, "public")).map((name) => join("public", name));

// Vite wants its configuration as the default export.
// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  plugins: [sourcesOf()],
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog(level, log, tell) {
        // TanStack Router marks each of its files as a client's, which says nothing here.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") tell(level, log);
      },
    },
  },
});
