import { createContext, use, useSyncExternalStore } from "react";
import type { State } from "../state/state";
import type { Store } from "../state/store";

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = use(StoreContext);
  if (store === null) throw new Error("no store above this component");
  return store;
}

export function usePageState(): State {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, store.get);
}
