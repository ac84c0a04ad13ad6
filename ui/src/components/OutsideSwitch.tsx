import { useState } from "react";
import type { Outside } from "../types/Outside";
import { Check } from "./Check";
import { useStore } from "./store";

/** What to know of the way in from outside, in a sentence. */
export function outsideHint({ state, address, message }: Outside): string {
  switch (state) {
    case "off":
      return "Asks your router to lead friends elsewhere to this computer.";
    case "trying":
      return "Asking your router. This takes a few seconds.";
    case "open":
      return [`Friends elsewhere reach you at ${address ?? ""}.`, message ?? ""].join(" ").trim();
    case "failed":
      return message ?? "Your router does not lead friends elsewhere to this computer.";
  }
}

/** Lets people outside this network in to the rooms open here, or no longer. */
export function OutsideSwitch({ outside, testId }: { outside: Outside; testId: string }) {
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const change = async (wanted: boolean) => {
    setBusy(true);
    await store.setOutside(wanted);
    setBusy(false);
  };
  return (
    <Check
      label="For friends outside this network"
      hint={outsideHint(outside)}
      checked={outside.state !== "off"}
      disabled={busy}
      data-testid={testId}
      data-state={outside.state}
      onValue={(wanted) => void change(wanted)}
    />
  );
}
