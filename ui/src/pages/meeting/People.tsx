import { useRef, useState, type ReactNode } from "react";
import { Avatar } from "../../components/Avatar";
import { Bars } from "../../components/Bars";
import { IconButton } from "../../components/Button";
import { EndDialog } from "../../components/EndDialog";
import { Icon } from "../../components/Icon";
import { Panel } from "../../components/Panel";
import { useStore } from "../../components/store";
import { Voice } from "../../components/Voice";
import { choicesFor, roomTools, standingIn, standingLabel, type Choice } from "../../state/host";
import type { Person } from "../../state/meeting";
import { inFull } from "../../state/network";
import { choicesForAll, mutedWords, type Muted } from "../../state/receiving";
import type { AppState } from "../../types/AppState";
import { HostTools } from "./HostTools";
import { PersonMenu } from "./PersonMenu";
import styles from "./People.module.css";

type PeopleProps = {
  app: AppState;
  people: readonly Person[];
  /** What those are called who were here, by user ID. */
  names: ReadonlyMap<string, string>;
  muted: Muted;
  onClose: () => void;
};

/** Everybody by name, with what they send, and what a host may do about it. */
export function People({ app, people, names, muted, onClose }: PeopleProps) {
  const store = useStore();
  const [asked, setAsked] = useState<Choice | null>(null);
  const tools = roomTools(app);
  const audience = app.roomState?.audience ?? 0;
  const act = ({ request }: Choice) => void store.openly(request);
  return (
    <>
      <Panel
        id="people"
        title={
          <>
            People <span className={styles["count"]}>{people.length}</span>
          </>
        }
        closes="Close the list"
        testIds={{
          panel: "participants-panel",
          close: "participants-close",
          body: "participants-list",
        }}
        onClose={onClose}
      >
        {tools !== null && <HostTools tools={tools} waiting={app.waiting} names={names} />}
        {(people.length > 1 || muted.voices || muted.pictures) && (
          <Everybody app={app} muted={muted} />
        )}
        <ul aria-labelledby="people-title">
          {people.map((person) => (
            <Row
              key={person.id}
              person={person}
              standing={standingLabel(standingIn(app, person.userId))}
              choices={choicesFor(app, person.userId)}
              onChoice={(choice) => {
                if (choice.question === undefined) act(choice);
                else setAsked(choice);
              }}
            />
          ))}
        </ul>
        {audience > 0 && (
          <p className={styles["audience"]} data-testid="audience-count">
            {audience === 1 ? "One person watches" : `${audience} people watch`}
          </p>
        )}
      </Panel>
      {asked !== null && (
        <EndDialog
          title={`${asked.label}?`}
          text={asked.question ?? ""}
          end={asked.label}
          stay="Cancel"
          onEnd={() => {
            act(asked);
          }}
          onClose={() => {
            setAsked(null);
          }}
        />
      )}
    </>
  );
}

/** What I receive of all of them, and what I may do about that. */
function Everybody({ app, muted }: { app: AppState; muted: Muted }) {
  const store = useStore();
  const more = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const detail = mutedWords(app, muted);
  return (
    <div data-testid="everybody" data-silenced={muted.voices} data-hidden={muted.pictures}>
      <div className={styles["row"]}>
        <span className={styles["mark"]}>
          <Icon name="people" />
        </span>
        <span className={styles["words"]}>
          <span className={styles["name"]}>Everybody else</span>
          {detail !== "" && <span className={styles["detail"]}>{detail}</span>}
        </span>
        <IconButton
          ref={more}
          icon="more"
          label="What to do with everybody else"
          aria-expanded={open}
          aria-controls={open ? "everybody-menu" : undefined}
          data-testid="everybody-menu"
          onClick={() => {
            setOpen(!open);
          }}
        />
      </div>
      {open && (
        <PersonMenu
          id="everybody-menu"
          name="everybody else"
          choices={choicesForAll(app, muted)}
          onChoice={({ what, mute }) => {
            setOpen(false);
            // The entry goes, and with it the focus.
            more.current?.focus();
            void store.muteAll(what, mute);
          }}
        />
      )}
    </div>
  );
}

type RowProps = {
  person: Person;
  standing: string | null;
  choices: readonly Choice[];
  onChoice: (choice: Choice) => void;
};

function Row({ person, standing, choices, onChoice }: RowProps) {
  const { connection } = person;
  const more = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const menu = `menu-${person.id}`;
  const known = connection.quality !== 0;
  const detail = [
    standing,
    person.role,
    person.silenced ? "Muted for you" : null,
    person.hidden ? "Picture hidden" : null,
    known ? connection.words : null,
  ]
    .filter((word) => word !== null)
    .join(" · ");
  return (
    <li
      data-testid={person.self ? "participant-local" : `participant-${person.userId}`}
      data-video={person.video}
      data-microphone={person.microphone}
      data-standing={standing ?? ""}
    >
      <div className={styles["row"]}>
        <Avatar name={person.name} userId={person.userId} size={36} />
        <span className={styles["words"]}>
          <span className={styles["name"]} title={person.userId}>
            {person.name}
            {person.self && <span className={styles["you"]}> (you)</span>}
          </span>
          {detail !== "" && <span className={styles["detail"]}>{detail}</span>}
          {person.speaking && <span className="sr-only">speaking</span>}
        </span>
        {known && (
          <span title={inFull(connection)}>
            <Bars quality={connection.quality} />
          </span>
        )}
        <Sends
          on={person.microphone === "on"}
          words={person.microphone === "on" ? "Microphone on" : "Muted"}
        >
          <Voice on={person.microphone === "on"} level={person.level} size={18} />
        </Sends>
        <Sends
          on={person.video !== "off"}
          words={person.video === "off" ? "Camera off" : "Camera on"}
        >
          <Icon name={person.video === "off" ? "cameraOff" : "camera"} size={18} />
        </Sends>
        {choices.length > 0 && (
          <IconButton
            ref={more}
            icon="more"
            label={`What to do with ${person.name}`}
            aria-expanded={open}
            aria-controls={open ? menu : undefined}
            data-testid={`menu-${person.userId}`}
            onClick={() => {
              setOpen(!open);
            }}
          />
        )}
      </div>
      {open && choices.length > 0 && (
        <PersonMenu
          id={menu}
          name={person.name}
          choices={choices}
          onChoice={(choice) => {
            setOpen(false);
            more.current?.focus();
            onChoice(choice);
          }}
        />
      )}
    </li>
  );
}

function Sends({ on, words, children }: { on: boolean; words: string; children: ReactNode }) {
  return (
    <span className={on ? styles["on"] : styles["off"]} title={words}>
      {children}
      <span className="sr-only">{words}</span>
    </span>
  );
}
