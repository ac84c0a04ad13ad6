import { useEffect } from "react";
import { EndDialog } from "./components/EndDialog";
import { Toasts } from "./components/Toasts";
import { Stage } from "./components/stage/Stage";
import { usePageState, useStore } from "./components/store";
import { ExitPage } from "./pages/exit/ExitPage";
import { JoinPage } from "./pages/join/JoinPage";
import { MeetingPage } from "./pages/meeting/MeetingPage";
import { hostingOf, pageOf, roomLabel } from "./state/state";

/** The page for the present state, on the stage that all of them share. */
export function App() {
  const store = useStore();
  const state = usePageState();
  const page = pageOf(state);

  useEffect(() => store.start(), [store]);
  useEffect(() => {
    const attend = () => void store.attend();
    window.addEventListener("click", attend);
    window.addEventListener("keyup", attend);
    return () => {
      window.removeEventListener("click", attend);
      window.removeEventListener("keyup", attend);
    };
  }, [store]);
  useEffect(() => {
    document.title = page === "meeting" ? `Room ${roomLabel(state)} - Confab` : "Confab";
  });

  return (
    <Stage
      ground={page === "meeting" ? "stage" : "page"}
      send={(scene) => {
        store.lay(scene);
      }}
      frames={state.app.presenter?.kind === "canvas" ? store.frames : null}
    >
      {page === "join" && <JoinPage />}
      {page === "meeting" && <MeetingPage />}
      {page === "exit" && state.notice !== null && <ExitPage notice={state.notice} />}
      {state.closeAsked && (
        <EndDialog
          title="Close Confab?"
          text="This computer hosts rooms. When the app closes, the meeting is over for everyone in them."
          end="End for everyone and close"
          onEnd={() => {
            store.answerClose(true);
          }}
          onStay={() => {
            store.answerClose(false);
          }}
          onClose={() => {
            store.dispatch({ type: "close-answered" });
          }}
        />
      )}
      {state.invited !== null && (
        <EndDialog
          title="Go to another room?"
          text={`You are invited to ${state.invited.words}. You leave this room if you go there${hostingOf(state) === null ? "" : "; it stays open on this computer"}.`}
          end="Leave and go there"
          onEnd={() => void store.answerInvitation(true)}
          onStay={() => void store.answerInvitation(false)}
          onClose={() => undefined}
        />
      )}
      <Toasts toasts={state.toasts} />
      <p className="sr-only" role="status">
        {state.spoken}
      </p>
    </Stage>
  );
}
