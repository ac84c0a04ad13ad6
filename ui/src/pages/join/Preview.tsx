import { useRef, useState } from "react";
import { Avatar } from "../../components/Avatar";
import { Button, Spinner } from "../../components/Button";
import { DeviceDialog } from "../../components/DeviceDialog";
import { DeviceButton } from "../../components/DeviceButton";
import { Icon } from "../../components/Icon";
import { useBlind, useStageTile } from "../../components/stage/Stage";
import { useStore } from "../../components/store";
import { isSeen, type JoinForm } from "../../state/join";
import { AUDIENCE, hasRoles, hasVideo } from "../../state/terms";
import { inWords } from "../../state/words";
import type { CameraView } from "../../types/CameraView";
import styles from "./Preview.module.css";

type PreviewProps = {
  form: JoinForm;
  /** Who this will be in the meeting. */
  userId: string;
  camera: CameraView;
  /** The camera is on, or will be at once. */
  wished: boolean;
};

/** Oneself before the meeting, and what will be on when it begins. */
export function Preview({ form, userId, camera, wished }: PreviewProps) {
  const store = useStore();
  const tile = useRef<HTMLDivElement>(null);
  const [devices, setDevices] = useState(false);
  const audience = hasRoles(form.scene) && form.role === AUDIENCE;
  const seen = hasVideo(form.scene) && !audience;
  const blind = useBlind();
  const live = seen && camera.on && camera.ready && camera.fault === null && !blind;
  useStageTile(
    tile,
    live ? { id: "", fit: "fill", mirror: true, radius: 16, speaking: false } : null,
  );
  return (
    <section aria-label="Preview" className={styles["preview"]}>
      <div
        ref={tile}
        className={[styles["tile"], live ? styles["live"] : ""].join(" ")}
        data-testid="preview"
        data-video={live ? "on" : "off"}
      >
        {!live && (
          <div className={[styles["still"], audience ? "" : styles["raised"]].join(" ")}>
            <Still
              form={form}
              userId={userId}
              camera={camera}
              wished={wished}
              seen={seen}
              audience={audience}
            />
          </div>
        )}
        {!audience && (
          <div className={styles["controls"]}>
            <DeviceButton
              device="microphone"
              on={form.microphone}
              testId="preview-microphone"
              onClick={() => void store.toggleMicrophone()}
            />
            {hasVideo(form.scene) && (
              <DeviceButton
                device="camera"
                on={camera.on}
                testId="preview-camera"
                onClick={() => void store.toggleCamera()}
              />
            )}
          </div>
        )}
      </div>
      <p className={styles["caption"]}>{caption(form, live, audience)}</p>
      <div>
        <Button
          icon="settings"
          aria-haspopup="dialog"
          data-testid="devices"
          onClick={() => {
            setDevices(true);
          }}
        >
          Camera, microphone and speaker
        </Button>
      </div>
      {devices && (
        <DeviceDialog
          onClose={() => {
            setDevices(false);
          }}
        />
      )}
    </section>
  );
}

type StillProps = PreviewProps & { seen: boolean; audience: boolean };

function Still({ form, userId, camera, wished, seen, audience }: StillProps) {
  const store = useStore();
  if (seen && camera.fault !== null) {
    return (
      <>
        <Icon name="cameraOff" size={32} />
        <p className={styles["words"]} role="status" data-testid="preview-fault">
          {inWords(camera.fault)}
        </p>
        {!camera.on && (
          <Button data-testid="preview-retry" onClick={() => void store.toggleCamera()}>
            Try again
          </Button>
        )}
      </>
    );
  }
  if (seen && camera.on && !camera.ready) {
    return (
      <p className={styles["words"]} role="status">
        <Spinner /> Starting the camera…
      </p>
    );
  }
  return (
    <>
      {form.name.trim() === "" ? (
        <Icon name={seen ? "camera" : "people"} size={40} />
      ) : (
        <Avatar name={form.name} userId={userId} size={88} />
      )}
      <p className={styles["words"]}>
        {audience
          ? "You will watch and listen."
          : seen
            ? stillWords(camera.on, wished)
            : "This kind of meeting has no pictures."}
      </p>
    </>
  );
}

function stillWords(on: boolean, wished: boolean): string {
  // Where pictures cannot be shown.
  if (on) return "Your camera is on.";
  return wished ? "Your picture appears here." : "Your camera is off.";
}

function caption(form: JoinForm, live: boolean, audience: boolean): string {
  if (audience) return "Nobody sees or hears the audience.";
  if (live) return "Only you see yourself mirrored.";
  const camera = form.camera && isSeen(form);
  if (camera && form.microphone) return "Your camera and microphone open when you join.";
  if (camera) return "Your camera opens when you join. You join muted.";
  return form.microphone ? "Your microphone opens when you join." : "You join muted.";
}
