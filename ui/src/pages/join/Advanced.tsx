import { useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { IconButton } from "../../components/Button";
import { Check } from "../../components/Check";
import { Field } from "../../components/Field";
import { Icon } from "../../components/Icon";
import { useStore } from "../../components/store";
import type { JoinForm } from "../../state/join";
import type { Joining } from "../../state/joining";
import styles from "./JoinFormCard.module.css";

type FieldsProps = {
  joining: Joining;
  busy: boolean;
  edit: (change: Partial<JoinForm>) => void;
};

/** `open`: rooms are open on this computer already. */
type AdvancedProps = FieldsProps & { open: boolean };

/** What most people never need: who signs for them, as whom, on which port, and what is received. */
export function Advanced({ joining, open, busy, edit }: AdvancedProps) {
  const store = useStore();
  const panel = useId();
  const content = useRef<HTMLDivElement>(null);
  const { form, errors, advanced: shown } = joining;
  return (
    <div className={styles["advanced"]}>
      <button
        type="button"
        className={styles["disclosure"]}
        aria-expanded={shown}
        aria-controls={panel}
        data-testid="advanced"
        onClick={() => {
          flushSync(() => {
            store.dispatch({ type: "advanced", open: !shown });
          });
          // It may open below the edge of the window, where nobody would see it.
          if (!shown) content.current?.scrollIntoView({ block: "nearest" });
        }}
      >
        <Icon name="chevron" size={18} />
        Advanced
      </button>
      <div ref={content} id={panel} hidden={!shown} className={styles["panel"]}>
        <Field
          label="User ID"
          name="userId"
          placeholder="Made for you when empty"
          value={form.userId}
          error={errors.userId}
          disabled={busy}
          data-testid="user-id"
          onValue={(userId) => {
            edit({ userId });
          }}
        />
        {form.where === "server" ? (
          <ServerFields joining={joining} busy={busy} edit={edit} />
        ) : (
          <>
            <p className={styles["note"]}>
              While you host, this computer signs for you: no SDKAppID or UserSig is needed.
            </p>
            {!open && (
              <Field
                label="Port"
                name="hostPort"
                inputMode="numeric"
                placeholder="7880, or another one if that is taken"
                value={form.hostPort}
                error={errors.hostPort}
                disabled={busy}
                data-testid="host-port"
                onValue={(hostPort) => {
                  edit({ hostPort });
                }}
              />
            )}
          </>
        )}
        <fieldset className={styles["receive"]}>
          <legend className={styles["legend"]}>What you receive</legend>
          <Check
            label="Hear the others from the start"
            hint="If not, you choose in the list of people whom you hear."
            checked={form.receiveAudio}
            disabled={busy}
            data-testid="receive-audio"
            onValue={(receiveAudio) => {
              edit({ receiveAudio });
            }}
          />
          <Check
            label="See the others from the start"
            hint="If not, you choose there whom you see."
            checked={form.receiveVideo}
            disabled={busy}
            data-testid="receive-video"
            onValue={(receiveVideo) => {
              edit({ receiveVideo });
            }}
          />
        </fieldset>
      </div>
    </div>
  );
}

function ServerFields({ joining: { form, errors }, busy, edit }: FieldsProps) {
  const [shown, show] = useState(false);
  return (
    <>
      <Field
        label="Passcode"
        name="passcode"
        type={shown ? "text" : "password"}
        placeholder="Where the server asks guests for one"
        value={form.passcode}
        error={errors.passcode}
        disabled={busy}
        data-testid="passcode"
        onValue={(passcode) => {
          edit({ passcode });
        }}
      />
      <p className={styles["note"]}>
        Guests need no more. With a UserSig of your own you come as its user.
      </p>
      <Field
        label="SDKAppID"
        name="sdkAppId"
        inputMode="numeric"
        placeholder="1400000001"
        value={form.sdkAppId}
        error={errors.sdkAppId}
        disabled={busy}
        data-testid="sdk-app-id"
        onValue={(sdkAppId) => {
          edit({ sdkAppId });
        }}
      />
      <Field
        label="UserSig"
        name="userSig"
        type={shown ? "text" : "password"}
        placeholder="From the server’s operator"
        value={form.userSig}
        error={errors.userSig}
        disabled={busy}
        data-testid="user-sig"
        onValue={(userSig) => {
          edit({ userSig });
        }}
        inside={
          <span className={styles["show"]}>
            <IconButton
              icon={shown ? "eyeOff" : "eye"}
              label={shown ? "Hide the secrets" : "Show the secrets"}
              data-testid="user-sig-show"
              onClick={() => {
                show(!shown);
              }}
            />
          </span>
        }
      />
      <Field
        label="PrivateMapKey"
        name="privateMapKey"
        type={shown ? "text" : "password"}
        placeholder="Where the server asks for permissions"
        value={form.privateMapKey}
        error={errors.privateMapKey}
        disabled={busy}
        data-testid="private-map-key"
        onValue={(privateMapKey) => {
          edit({ privateMapKey });
        }}
      />
    </>
  );
}
