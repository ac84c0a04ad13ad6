import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { StoreContext } from "./components/store";
import { applyTheme } from "./components/theme";
import type { Host } from "./host/host";
import { Store } from "./state/store";
import { rememberedTheme } from "./state/theme";
import "./styles.css";

/** The shell; or, while the page is worked on in a browser, a simulated meeting. */
async function openHost(): Promise<Host> {
  if (import.meta.env.DEV && !("__TAURI_INTERNALS__" in window)) {
    const { demoHost } = await import("./host/demo");
    return demoHost(new URLSearchParams(location.search));
  }
  const { tauriHost } = await import("./host/tauri");
  return tauriHost();
}

async function start(): Promise<void> {
  applyTheme(rememberedTheme(localStorage));
  const root = document.getElementById("root");
  if (root === null) throw new Error("index.html has no #root");
  const store = new Store(await openHost(), {
    now: () => Date.now(),
    storage: localStorage,
  });
  createRoot(root).render(
    <StrictMode>
      <StoreContext value={store}>
        <App />
      </StoreContext>
    </StrictMode>,
  );
}

void start();
