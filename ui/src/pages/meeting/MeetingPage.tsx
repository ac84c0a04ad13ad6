import { useEffect, useState } from "react";
import { EndDialog } from "../../components/EndDialog";
import { usePageState, useStore } from "../../components/store";
import { hostingOf, type Panel } from "../../state/state";
import { roomTools } from "../../state/host";
import { bringsPermission } from "../../state/role";
import { controlsOf, peopleOf, tilesOf } from "../../state/meeting";
import { ConnectionBanner } from "./ConnectionBanner";
import { ConnectionPanel } from "./ConnectionPanel";
import { Controls } from "./Controls";
import { Gallery } from "./Gallery";
import { InviteCard } from "./Invite";
import { InviteDialog } from "./InviteDialog";
import { MessagesPanel } from "./MessagesPanel";
import { People } from "./People";
import { SwitchBanner } from "./SwitchBanner";
import { SwitchDialog } from "./SwitchDialog";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./shortcuts";
import styles from "./MeetingPage.module.css";

/** The meeting itself. */
export function MeetingPage() {
  const store = useStore();
  const state = usePageState();
  const [ending, setEnding] = useState(false);
  const [inviting, setInviting] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const { panel, network } = state;
  const people = peopleOf(state.app, network);
  const tiles = tilesOf(state.app, network);
  const controls = controlsOf(state.app);
  const leaving = state.app.phase === "exiting";
  const hosts = hostingOf(state) !== null;

  const toggle = (which: Panel) => {
    store.dispatch({ type: "panel", panel: panel === which ? null : which });
    // A panel takes the focus when it opens: it goes back to where it came from.
    if (panel === which) document.getElementById(`toggle-${which}`)?.focus();
  };
  const togglePeople = () => {
    toggle("people");
  };
  const toggleConnection = () => {
    toggle("connection");
  };
  const toggleMessages = () => {
    toggle("messages");
  };
  const ends = roomTools(state.app)?.ends === true;
  const leave = () => {
    if ((hosts || ends) && people.length > 1) setEnding(true);
    else void store.leave("leave");
  };
  useShortcuts({
    onMicrophone: () => controls.microphone.offered && void store.toggleMicrophone(),
    onCamera: () => controls.camera.offered && void store.toggleCamera(),
    onPeople: togglePeople,
    onEscape: () => {
      // One key closes one thing, and a dialog is above the panel.
      const above = document.querySelector("dialog[open]");
      if (panel !== null && above === null) toggle(panel);
    },
  });
  useEffect(() => {
    document.getElementById("meeting-title")?.focus();
  }, []);

  const invites = hosts && people.length === 1;
  const invite = () => {
    setInviting(true);
  };
  return (
    <div className={styles["page"]} data-testid="meeting-page">
      <TopBar
        state={state}
        onConnection={toggleConnection}
        onMessages={toggleMessages}
        onInvite={invite}
        onSwitch={() => {
          setChoosing(true);
        }}
      />
      <ConnectionBanner connection={state.connection} />
      <SwitchBanner app={state.app} />
      <div className={styles["middle"]}>
        <main className={styles["stage"]} aria-label="Meeting">
          <Gallery tiles={tiles} />
          {invites && <InviteCard state={state} onLinks={invite} />}
        </main>
        {panel === "people" && (
          <People
            app={state.app}
            people={people}
            names={state.names}
            muted={state.muted}
            onClose={togglePeople}
          />
        )}
        {panel === "connection" && (
          <ConnectionPanel network={network} people={people} onClose={toggleConnection} />
        )}
        {panel === "messages" && (
          <MessagesPanel messages={state.messages} names={state.names} onClose={toggleMessages} />
        )}
      </div>
      <Controls
        controls={controls}
        count={people.length}
        waiting={state.app.waiting.length}
        panel={panel === "people"}
        permission={bringsPermission(state)}
        leaving={leaving}
        onPanel={togglePeople}
        onLeave={leave}
      />
      {inviting && (
        <InviteDialog
          onClose={() => {
            setInviting(false);
          }}
        />
      )}
      {choosing && (
        <SwitchDialog
          onClose={() => {
            setChoosing(false);
          }}
        />
      )}
      {ending && (
        <EndDialog
          title="Leave, or end the meeting?"
          text={
            hosts
              ? "This computer hosts the room. If you only leave, the others can go on while the app stays open."
              : "You are the host. If you only leave, somebody else becomes the host and the others go on."
          }
          end="End for everyone"
          onEnd={() => void store.leave(hosts ? "end" : "dismiss")}
          leave={{
            label: hosts ? "Leave, keep hosting" : "Leave",
            onLeave: () => void store.leave("leave"),
          }}
          onClose={() => {
            setEnding(false);
          }}
        />
      )}
    </div>
  );
}
