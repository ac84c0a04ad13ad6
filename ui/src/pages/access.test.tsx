import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { applyTheme } from "../components/theme";
import type { ExitView } from "../types/ExitView";
import { faults, join, layOut, show, stands } from "./testing";

const CONTROLS = "a[href], button, input, select, textarea, [tabindex='0']";

/** What can be used at the moment: shown, and in front of everything else. */
function controls(): HTMLElement[] {
  const area = document.querySelector("dialog[open]") ?? document.body;
  return Array.from(area.querySelectorAll<HTMLElement>(CONTROLS)).filter(
    (element) => !element.matches(":disabled") && element.closest("[hidden]") === null,
  );
}

/** Tab stops once in a group of radio buttons, at the chosen one. */
function stops(): HTMLElement[] {
  return controls().filter(
    (element) =>
      !(element instanceof HTMLInputElement && element.type === "radio" && !element.checked),
  );
}

/** The name for tests, or the element itself where it has none. */
function idOf(element: HTMLElement): string {
  return element.dataset["testid"] ?? element.outerHTML;
}

/** Goes once around the page with Tab; what got the focus, in this order. */
async function walk(): Promise<HTMLElement[]> {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  const reached: HTMLElement[] = [];
  for (;;) {
    await userEvent.tab();
    const focused = document.activeElement;
    if (!(focused instanceof HTMLElement) || focused === document.body) return reached;
    if (reached.includes(focused)) return reached;
    reached.push(focused);
  }
}

const click = (testId: string) => userEvent.click(screen.getByTestId(testId));

async function exit(view: Partial<ExitView>): Promise<void> {
  const host = show();
  await join();
  act(() => {
    host.leave({ reason: 0, cause: "left", by: null, message: "", ...view });
  });
}

/** Every page in every state that has other controls than the rest. */
const PAGES: Record<string, () => Promise<void>> = {
  "the join page": async () => {
    show();
    await userEvent.click(document.body);
  },
  "the join page for a text room on a server, live, with everything open": async () => {
    show();
    await click("room-kind-text");
    await click("scene-live");
    await click("where-server");
    await click("advanced");
  },
  "the join page with complaints": async () => {
    show();
    await click("where-server");
    await click("join");
  },
  "the join page after a refusal": async () => {
    show({ refuse: { code: -100013, message: "The service is suspended." } });
    await userEvent.type(screen.getByTestId("name"), "Ada");
    await userEvent.type(screen.getByTestId("room"), "1{Enter}");
    expect(await screen.findByTestId("join-error")).toBeVisible();
  },
  "the join page without a camera": async () => {
    show({ noCamera: true });
    await click("name");
    expect(await screen.findByTestId("preview-retry")).toBeVisible();
  },
  "the join page while one waits": async () => {
    show({ delay: 60_000 });
    await userEvent.type(screen.getByTestId("name"), "Ada");
    await userEvent.type(screen.getByTestId("room"), "1{Enter}");
    await screen.findByTestId("join-busy");
  },
  "the join page with others nearby": async () => {
    const host = show();
    await click("where-server");
    act(() => {
      host.change({
        nearby: ["192.168.1.20:7880", "10.0.0.2:7880"].map((address) => ({
          name: "Ada’s laptop",
          address,
          server: `${address}#${"q".repeat(43)}`,
        })),
      });
    });
  },
  "the invitation to a room": async () => {
    const host = show({ people: 2 });
    await join();
    act(() => {
      host.change({ hosting: null });
    });
    await click("invite");
    await screen.findByDisplayValue(/^confab:/);
  },
  "the invitation for one person": async () => {
    const host = show({ people: 2 });
    await join();
    stands(host);
    await click("hosting-badge");
    await click("invite-links");
    await click("invite-once");
    await screen.findByDisplayValue(/^confab:.*ticket/);
  },
  "the question for another room": async () => {
    show({ people: 1 });
    await join();
    await click("switch");
  },
  "a meeting whose host has everything open, on the way to another room": async () => {
    const host = show({ people: 2 });
    await join();
    stands(host, { banned: ["eve", "mallory"] });
    await click("toggle-participants");
    await click("menu-user-1");
    await click("everybody-menu");
    act(() => {
      const { room } = host.state();
      host.change({ switching: room && { room, waiting: true } });
    });
  },
  "the join page of somebody who hosts": async () => {
    const host = show({ people: 0 });
    await click("name");
    await act(() => host.call({ command: "host_room", args: { passcode: "tea" } }));
    await screen.findByTestId("door-passcode-off");
  },
  "the question to somebody who is invited elsewhere": async () => {
    const host = show({ people: 2 });
    await join();
    act(() => {
      host.invite({ server: "10.0.0.9:7880", roomId: 5 });
    });
    await screen.findByTestId("end-dialog");
  },
  "a meeting of one": async () => {
    show({ people: 0 });
    await join();
  },
  "a meeting of five with everything open": async () => {
    const host = show({ people: 4 });
    await join();
    await click("toggle-participants");
    await click("hosting-badge");
    act(() => {
      host.emit({ event: "onConnectionLost" });
      host.emit({ event: "onWarning", data: { code: 1101, message: "Slow." } });
      host.emit({ event: "onError", data: { code: -1302, message: "No microphone." } });
    });
  },
  "a meeting with the figures of the connection": async () => {
    show({ people: 3 });
    await join();
    await click("toggle-connection");
  },
  "a meeting with messages of the app's own": async () => {
    const host = show({ people: 1 });
    await join();
    await click("toggle-messages");
    act(() => {
      const data = { userId: "user-1", cmdId: 3, seq: 1, data: "aGk=" };
      host.emit({ event: "onRecvCustomCmdMsg", data });
      const missed = { userId: "user-1", cmdId: 3, code: -1, missed: 2 };
      host.emit({ event: "onMissCustomCmdMsg", data: missed });
    });
  },
  "a meeting that is watched": async () => {
    show({ people: 1 });
    await click("scene-live");
    await click("role-audience");
    await join();
  },
  "the question for another role": async () => {
    const host = show({ people: 1 });
    await click("scene-live");
    await join();
    act(() => {
      host.emit({ event: "onSwitchRole", data: { code: -100006, message: "No.", role: 20 } });
    });
    await click("switch-role");
  },
  "the question to a host who leaves": async () => {
    show({ people: 2 });
    await join();
    await click("leave");
  },
  "the notice: left": () => exit({}),
  "the notice: removed": () => exit({ reason: 1, cause: "removed", by: "Grace" }),
  "the notice: dismissed": () => exit({ reason: 2, cause: "dismissed" }),
  "the notice: entered elsewhere": () => exit({ reason: 1, cause: "entered_elsewhere" }),
  "the notice: host stopped": () => exit({ reason: 2, cause: "host_stopped" }),
  "the notice: connection lost": () => exit({ reason: 1, cause: "connection_lost" }),
};

beforeEach(layOut);

describe.each(Object.entries(PAGES))("%s", (_, arrange) => {
  it("names every control, for people and for tests", async () => {
    await arrange();
    const found = controls();
    expect(found).not.toEqual([]);
    for (const element of found) expect(element).toHaveAccessibleName();
    const ids = found.map(idOf).filter((id) => id !== "toast-close");
    expect(ids.filter((id, index) => id.startsWith("<") || ids.indexOf(id) !== index)).toEqual([]);
  });

  it("is walked through with Tab from the first control to the last", async () => {
    await arrange();
    const wanted = stops();
    const reached = await walk();
    // A modal dialog keeps the rest out of reach; jsdom does not know that.
    const inFront = reached.filter((element) => controls().includes(element));
    expect(inFront.map(idOf)).toEqual(wanted.map(idOf));
  });

  it("has no accessibility faults, light or dark", async () => {
    await arrange();
    applyTheme("dark");
    expect(await faults()).toEqual([]);
    applyTheme("light");
    expect(await faults()).toEqual([]);
  });
});
