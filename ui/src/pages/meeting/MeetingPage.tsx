import { useEffect, useState } from "react";
import { EndDialog } from "../../components/EndDialog";
import { usePageState, useStore } from "../../components/store";
import { hostingOf } from "../../state/state";
import { controlsOf, peopleOf, tilesOf } from "../../state/meeting";
import { ConnectionBanner } from "./ConnectionBanner";
import { Controls } from "./Controls";
import { Gallery } from "./Gallery";
import { InviteCard } from "./Invite";
import { People } from "./People";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./shortcuts";
import styles from "./MeetingPage.module.css";

/** The meeting itself. */
export function MeetingPage() {
  const store = useStore();
  const state = usePageState();
  const [ending, setEnding] = useState(false);
  const people = peopleOf(state.app);
  const tiles = tilesOf(state.app);
  const controls = controlsOf(state.app);
  const leaving = state.app.phase === "exiting";
  const hosts = hostingOf(state) !== null;

  const togglePanel = () => {
    store.dispatch({ type: "panel", open: !state.panel });
    // The panel takes the focus when it opens: it goes back to where it came from.
    if (state.panel) document.getElementById("toggle-people")?.focus();
  };
  const leave = () => {
    if (hosts && people.length > 1) setEnding(true);
    else void store.leave("leave");
  };
  useShortcuts({
    onMicrophone: () => controls.microphone.offered && void store.toggleMicrophone(),
    onCamera: () => controls.camera.offered && void store.toggleCamera(),
    onPeople: togglePanel,
    onEscape: () => {
      if (state.panel && !ending) togglePanel();
    },
  });
  useEffect(() => {
    document.getElementById("meeting-title")?.focus();
  }, []);

  const invites = hosts && people.length === 1;
  return (
    <div className={styles["page"]} data-testid="meeting-page">
      <TopBar state={state} />
      <ConnectionBanner connection={state.connection} />
      <div className={styles["middle"]}>
        <main className={styles["stage"]} aria-label="Meeting">
          <Gallery tiles={tiles} />
          {invites && <InviteCard state={state} />}
        </main>
        {state.panel && <People people={people} onClose={togglePanel} />}
      </div>
      <Controls
        controls={controls}
        count={people.length}
        panel={state.panel}
        leaving={leaving}
        onPanel={togglePanel}
        onLeave={leave}
      />
      {ending && (
        <EndDialog
          title="Leave, or end the meeting?"
          text="This computer hosts the room. If you only leave, the others can go on while the app stays open."
          end="End for everyone"
          onEnd={() => void store.leave("end")}
          leave={{ label: "Leave, keep hosting", onLeave: () => void store.leave("leave") }}
          onClose={() => {
            setEnding(false);
          }}
        />
      )}
    </div>
  );
}
