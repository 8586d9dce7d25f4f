/** How the page is built: `atoll console build` runs this. */
import { defineConfig } from "vite";

// Vite wants its configuration as the default export.
// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      // TanStack Router marks each of its files as a client's, which says nothing here.
      onLog(level, log, tell) {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") tell(level, log);
      },
    },
  },
});
