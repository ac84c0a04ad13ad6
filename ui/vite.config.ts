import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // The shell serves the bundle from its own scheme, so every address is relative.
  base: "./",
  clearScreen: false,
  server: { host: "127.0.0.1", port: 5173, strictPort: true, fs: { allow: [".."] } },
  build: {
    // WebKitGTK 2.40, WKWebView of macOS 13.3 and WebView2 all read this.
    target: ["safari16.4", "chrome111"],
    // The page's policy forbids inline scripts and data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test-setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" } },
    restoreMocks: true,
    // A loaded machine is slow, not wrong.
    testTimeout: 60_000,
  },
});
