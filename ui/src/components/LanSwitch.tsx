import { useState } from "react";
import type { Hosting } from "../types/Hosting";
import { Check } from "./Check";
import { OutsideSwitch } from "./OutsideSwitch";
import { useStore } from "./store";

/** Lets other computers in to the rooms open here, or no longer, and people outside this network. */
export function LanSwitch({ hosting, testId }: { hosting: Hosting; testId: string }) {
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const change = async (lan: boolean) => {
    setBusy(true);
    await store.setLan(lan);
    setBusy(false);
  };
  return (
    <>
      <Check
        label="Let others on this network join"
        hint={
          hosting.lan
            ? "Connections are encrypted. Whoever is in stays when you switch this off."
            : "Once it is on you see what to give to others."
        }
        checked={hosting.lan}
        disabled={busy}
        data-testid={testId}
        onValue={(lan) => void change(lan)}
      />
      <OutsideSwitch outside={hosting.outside} testId={`${testId}-outside`} />
    </>
  );
}
