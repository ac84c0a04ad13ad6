import { useEffect, useId, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { DoorSwitch } from "../../components/DoorSwitch";
import { LanSwitch } from "../../components/LanSwitch";
import { Icon } from "../../components/Icon";
import { copyText } from "../../components/clipboard";
import { useStore } from "../../components/store";
import { useCopied } from "../../components/useCopied";
import { hostingOf, roomLabel, type State } from "../../state/state";
import type { Hosting } from "../../types/Hosting";
import styles from "./Invite.module.css";

/** The hosting badge; opens what others need to join. */
export function InviteButton({
  state,
  hosting,
  onLinks,
}: {
  state: State;
  hosting: Hosting;
  onLinks: () => void;
}) {
  const [open, setOpen] = useState(false);
  const around = useRef<HTMLDivElement>(null);
  const panel = useId();

  useEffect(() => {
    if (!open) return;
    const onPointer = (event: PointerEvent) => {
      if (event.target instanceof Node && !around.current?.contains(event.target)) setOpen(false);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      // One key closes one thing.
      event.preventDefault();
      setOpen(false);
      around.current?.querySelector("button")?.focus();
    };
    document.addEventListener("pointerdown", onPointer);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", onPointer);
      document.removeEventListener("keydown", onKey);
    };
  }, [open]);

  return (
    <div ref={around} className={styles["around"]}>
      <button
        type="button"
        className={styles["badge"]}
        aria-expanded={open}
        aria-controls={panel}
        data-testid="hosting-badge"
        onClick={() => {
          setOpen(!open);
        }}
      >
        <Icon name="host" size={18} />
        Hosting
        <Icon name="chevron" size={16} />
      </button>
      <div id={panel} hidden={!open} className={styles["popover"]}>
        <h2 className={styles["title"]}>Invite others</h2>
        <InviteDetails
          state={state}
          hosting={hosting}
          idPrefix="invite"
          onLinks={() => {
            setOpen(false);
            // The focus comes back to where it can be seen.
            around.current?.querySelector("button")?.focus();
            onLinks();
          }}
        />
        <section className={styles["door"]} aria-labelledby={`${panel}-door`}>
          <h3 id={`${panel}-door`} className={styles["title"]}>
            Who comes in
          </h3>
          <DoorSwitch hosting={hosting} testId="door" />
        </section>
      </div>
    </div>
  );
}

/** The same for somebody who waits alone: nobody can come who was not told where. */
export function InviteCard({ state, onLinks }: { state: State; onLinks: () => void }) {
  const hosting = hostingOf(state);
  if (hosting === null) return null;
  return (
    <section className={styles["card"]} aria-label="Invite others" data-testid="invite-card">
      <h2 className={styles["title"]}>You are the only one here</h2>
      <InviteDetails state={state} hosting={hosting} idPrefix="invite-card" onLinks={onLinks} />
    </section>
  );
}

/** Who can reach the address below. */
function reach({ lan, addresses }: Hosting): string {
  if (!lan) return "Only windows on this computer can reach this address.";
  return addresses.length > 0
    ? "Others choose “Join a server” and paste an invitation, or type this address."
    : "This computer is in no network. Connect it, and an address for others appears here.";
}

/** Who is let in at that address; null where everybody is. */
function door({ passcode, waitingRoom }: Hosting): string | null {
  const asked = "Guests need the passcode; it is in the invitations.";
  const wait = "Those who come wait until you let them in.";
  if (passcode) return waitingRoom ? `${asked} ${wait}` : asked;
  return waitingRoom ? wait : null;
}

const UNCOPIED = "The invitation could not be copied. Tell the others the server and the room.";

type DetailsProps = { state: State; hosting: Hosting; idPrefix: string; onLinks: () => void };

function InviteDetails({ state, hosting, idPrefix, onLinks }: DetailsProps) {
  const store = useStore();
  const { room } = state.app;
  const [copied, setCopied] = useCopied<true>();
  const label = roomLabel(state);
  const kind = room?.strRoomId == null ? "Number" : "Text";
  // Nobody else can reach a computer that is in no network.
  const alone = hosting.lan && hosting.addresses.length === 0;
  const addresses = hosting.lan ? hosting.addresses : [hosting.server];
  const copy = async () => {
    const made = await store.invitation();
    const done = typeof made !== "string" && (await copyText(made.message));
    setCopied(done || null);
    if (!done) store.failed(typeof made === "string" ? made : UNCOPIED);
  };
  return (
    <>
      <p className={styles["lead"]}>{reach(hosting)}</p>
      {door(hosting) !== null && (
        <p className={styles["lead"]} data-testid={`${idPrefix}-door`}>
          {door(hosting)}
        </p>
      )}
      <div className={styles["switch"]}>
        <LanSwitch hosting={hosting} testId={`${idPrefix}-lan`} />
      </div>
      <dl className={styles["list"]}>
        <dt>Server</dt>
        <dd className="selectable" data-testid={`${idPrefix}-address`}>
          {alone && "No address yet"}
          {addresses.map((address) => (
            <span key={address} className={styles["line"]}>
              {address}
            </span>
          ))}
        </dd>
        <dt>Room</dt>
        <dd className="selectable">
          <span data-testid={`${idPrefix}-room`}>{label}</span>
          <span className={styles["kind"]}> {kind}</span>
        </dd>
      </dl>
      <div className={styles["buttons"]}>
        <Button
          icon={copied === null ? "copy" : "check"}
          data-testid={`${idPrefix}-copy`}
          disabled={alone}
          onClick={() => void copy()}
        >
          <span aria-live="polite">{copied === null ? "Copy an invitation" : "Copied"}</span>
        </Button>
        <Button
          look="quiet"
          aria-haspopup="dialog"
          data-testid={`${idPrefix}-links`}
          disabled={alone}
          onClick={onLinks}
        >
          Links
        </Button>
      </div>
    </>
  );
}
