import { useEffect, useId, useRef, useState, type FocusEvent, type SyntheticEvent } from "react";
import { Button, Spinner } from "../../components/Button";
import { Check } from "../../components/Check";
import { Choice } from "../../components/Choice";
import { DoorSwitch } from "../../components/DoorSwitch";
import { EndDialog } from "../../components/EndDialog";
import { Field } from "../../components/Field";
import { Icon, type IconName } from "../../components/Icon";
import { LanSwitch } from "../../components/LanSwitch";
import { useStore } from "../../components/store";
import { mayInvite } from "../../state/invitation";
import { firstWrong, type JoinForm } from "../../state/join";
import type { Joining, Step } from "../../state/joining";
import { receivingNote } from "../../state/receiving";
import { ANCHOR, AUDIENCE, hasRoles, hasVideo, SCENES } from "../../state/terms";
import type { Hosting } from "../../types/Hosting";
import { Advanced } from "./Advanced";
import styles from "./JoinFormCard.module.css";

const SCENE_ICONS: Record<(typeof SCENES)[number]["key"], IconName> = {
  videoCall: "camera",
  live: "live",
  audioCall: "headset",
  voiceChatRoom: "voice",
};

const SCENE_OPTIONS = SCENES.map(({ id, key, label, hint }) => ({
  value: id,
  label,
  hint,
  icon: SCENE_ICONS[key],
  testId: `scene-${key}`,
}));

const KIND_OPTIONS = [
  { value: "number", label: "Number", testId: "room-kind-number" },
  { value: "text", label: "Text", testId: "room-kind-text" },
] as const;

const WHERE_OPTIONS = [
  { value: "host", label: "Host on this computer", icon: "host", testId: "where-host" },
  { value: "server", label: "Join a server", icon: "server", testId: "where-server" },
] as const;

type CardProps = { joining: Joining; hosting: Hosting | null };

export function JoinFormCard({ joining, hosting }: CardProps) {
  const store = useStore();
  const form = useRef<HTMLFormElement>(null);
  const { form: values, errors, complaints, refusal, step } = joining;
  const busy = step !== null;
  const note = receivingNote(values);
  const edit = (change: Partial<JoinForm>) => {
    store.edit(change);
  };

  // Whenever complaints come up, the first wrong field is where the person goes on; not when they
  // mend it, which leaves another one the first.
  const wrong = firstWrong(errors);
  const first = useRef(wrong);
  useEffect(() => {
    first.current = wrong;
  });
  useEffect(() => {
    if (first.current === null) return;
    const input = form.current?.querySelector<HTMLInputElement>(`[name="${first.current}"]`);
    input?.focus({ preventScroll: true });
    // Together with its sentence, which the button at the foot would cover.
    input?.closest("[data-field]")?.scrollIntoView({ block: "nearest" });
  }, [complaints]);

  // Whoever comes back has a name already and goes on with the room.
  useEffect(() => {
    const name = form.current?.querySelector<HTMLInputElement>('[name="name"]');
    const room = form.current?.querySelector<HTMLInputElement>('[name="room"]');
    (name?.value === "" ? name : room)?.focus();
  }, []);

  // The button that cancels has the focus while one waits, and goes.
  const waited = useRef(false);
  useEffect(() => {
    if (waited.current && !busy && wrong === null) {
      form.current?.querySelector<HTMLButtonElement>('[type="submit"]')?.focus();
    }
    waited.current = busy;
  }, [busy, wrong]);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void store.join();
  };

  return (
    <form
      ref={form}
      className={styles["card"]}
      aria-label="Join a meeting"
      aria-busy={busy}
      noValidate
      onSubmit={submit}
      onFocus={reveal}
    >
      <Field
        label="Your name"
        name="name"
        placeholder="As the others will see it"
        value={values.name}
        error={errors.name}
        disabled={busy}
        data-testid="name"
        onValue={(name) => {
          edit({ name });
        }}
      />
      <RoomField values={values} error={errors.room} busy={busy} edit={edit} />
      <Choice
        legend="Scene"
        look="cards"
        options={SCENE_OPTIONS}
        value={values.scene}
        disabled={busy}
        onValue={(scene) => {
          edit({ scene });
        }}
        hint={SCENES[values.scene].hint}
      />
      {hasRoles(values.scene) && <RoleChoice values={values} busy={busy} edit={edit} />}
      <Choice
        legend="Where"
        look="cards"
        options={WHERE_OPTIONS}
        value={values.where}
        disabled={busy}
        onValue={(where) => {
          edit({ where });
        }}
      />
      {values.where === "server" && (
        <Field
          label="Server address"
          name="server"
          inputMode="url"
          placeholder="192.168.1.20:7880, or paste an invitation"
          value={values.server}
          error={errors.server}
          disabled={busy}
          data-testid="server"
          onValue={(server) => {
            edit({ server });
          }}
          onPaste={(event) => {
            const text = event.clipboardData.getData("text");
            if (!mayInvite(text)) return;
            event.preventDefault();
            void store.paste(text);
          }}
        />
      )}
      {values.where === "host" && (
        <HostingPart
          hosting={hosting}
          values={values}
          error={errors.hostPasscode}
          busy={busy}
          edit={edit}
        />
      )}
      {values.ticket !== "" && (
        <p className={styles["note"]} data-testid="ticket-note">
          The invitation holds a ticket that lets you in once.
        </p>
      )}
      {note !== null && (
        <p className={styles["note"]} data-testid="receive-note">
          {note}
        </p>
      )}
      <Advanced joining={joining} open={hosting !== null} busy={busy} edit={edit} />
      <div className={styles["foot"]}>
        {refusal !== null && (
          <p className={styles["refusal"]} role="alert" data-testid="join-error">
            <Icon name="warning" size={18} />
            <span className="selectable">{refusal}</span>
          </p>
        )}
        <Submit step={step} where={values.where} />
      </div>
    </form>
  );
}

/** Who goes about with keys sees where they are at once: the engine takes its time, or leaves it hidden. */
function reveal({ target }: FocusEvent<HTMLElement>) {
  if (target.matches(":focus-visible")) target.scrollIntoView({ block: "nearest" });
}

type PartProps = {
  values: JoinForm;
  busy: boolean;
  edit: (change: Partial<JoinForm>) => void;
};

function RoomField({ values, error, busy, edit }: PartProps & { error: string | undefined }) {
  const number = values.roomKind === "number";
  return (
    <Field
      label="Room"
      name="room"
      inputMode={number ? "numeric" : "text"}
      placeholder={number ? "1 to 4294967294" : "For example: team meeting"}
      value={number ? values.roomNumber : values.roomText}
      error={error}
      hint={number ? undefined : "Capital and small letters differ. “123” is not room number 123."}
      disabled={busy}
      data-testid="room"
      onValue={(text) => {
        edit(number ? { roomNumber: text } : { roomText: text });
      }}
      beside={
        <Choice
          legend="The room is a"
          hideLegend
          look="strip"
          options={KIND_OPTIONS}
          value={values.roomKind}
          disabled={busy}
          onValue={(roomKind) => {
            edit({ roomKind });
          }}
        />
      }
    />
  );
}

function RoleChoice({ values, busy, edit }: PartProps) {
  const voice = !hasVideo(values.scene);
  return (
    <Choice
      legend="Your role"
      look="cards"
      options={[
        { value: ANCHOR, label: voice ? "Speaker" : "Anchor", testId: "role-anchor" },
        { value: AUDIENCE, label: voice ? "Listener" : "Audience", testId: "role-audience" },
      ]}
      value={values.role}
      disabled={busy}
      onValue={(role) => {
        edit({ role });
      }}
    />
  );
}

type HostingPartProps = PartProps & { hosting: Hosting | null; error: string | undefined };

function HostingPart({ hosting, values, error, busy, edit }: HostingPartProps) {
  const store = useStore();
  const [asking, setAsking] = useState(false);
  if (hosting !== null) {
    return (
      <>
        <div className={styles["hosting"]} data-testid="hosting-note">
          <span>
            This computer is hosting at{" "}
            <span className="selectable" data-testid="hosting-address">
              {hosting.addresses[0] ?? hosting.server}
            </span>
            .
          </span>
          <Button
            look="quiet"
            disabled={busy}
            data-testid="stop-hosting"
            onClick={() => {
              setAsking(true);
            }}
          >
            Stop hosting
          </Button>
          {asking && (
            <EndDialog
              title="Stop hosting?"
              text="Whoever is still in a room on this computer has to leave it."
              end="Stop hosting"
              onEnd={() => void store.leave("end")}
              onClose={() => {
                setAsking(false);
              }}
            />
          )}
        </div>
        <LanSwitch hosting={hosting} testId="host-lan" />
        <DoorSwitch hosting={hosting} testId="door" />
      </>
    );
  }
  return (
    <>
      <Check
        label="Let other computers on this network join"
        hint="Once the room is open you see what to give to others."
        checked={values.lan}
        disabled={busy}
        data-testid="host-lan"
        onValue={(lan) => {
          edit({ lan });
        }}
      />
      <Field
        label="Passcode for guests"
        name="hostPasscode"
        placeholder="None: whoever knows the address comes in"
        hint="It is in the invitations that you send."
        value={values.hostPasscode}
        error={error}
        disabled={busy}
        data-testid="host-passcode"
        onValue={(hostPasscode) => {
          edit({ hostPasscode });
        }}
      />
      <Check
        label="Those who come wait until I let them in"
        checked={values.hostWaiting}
        disabled={busy}
        data-testid="host-waiting"
        onValue={(hostWaiting) => {
          edit({ hostWaiting });
        }}
      />
    </>
  );
}

const STEP_WORDS: Record<Step, string> = {
  hosting: "Opening the room…",
  entering: "Joining…",
  waiting: "Waiting for the host to let you in…",
};

function Submit({ step, where }: { step: Step | null; where: JoinForm["where"] }) {
  const store = useStore();
  const status = useId();
  if (step === null) {
    return (
      <div className={styles["submit"]}>
        <Button key="join" type="submit" look="primary" wide data-testid="join">
          {where === "host" ? "Host and join" : "Join"}
        </Button>
      </div>
    );
  }
  return (
    <div className={styles["submit"]}>
      <p id={status} role="status" className={styles["busy"]} data-testid="join-busy">
        <Spinner />
        {STEP_WORDS[step]}
      </p>
      <Button
        key="cancel"
        autoFocus
        aria-describedby={status}
        data-testid="join-cancel"
        onClick={() => void store.cancelJoin()}
      >
        Cancel
      </Button>
    </div>
  );
}
