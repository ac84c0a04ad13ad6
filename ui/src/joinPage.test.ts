import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const FOLDER = "../crates/server/src/http/join_page";
const BODY = /<body>([^]*)<script>/.exec(readFileSync(`${FOLDER}/page.html`, "utf8"))?.[1] ?? "";
const SCRIPT = readFileSync(`${FOLDER}/page.js`, "utf8");

/** The server's page as it stands under that address. */
function open(address: string): void {
  document.body.innerHTML = BODY;
  const script = document.createElement("script");
  script.textContent = SCRIPT;
  history.replaceState(null, "", address);
  document.body.append(script);
}

const text = (id: string) => document.getElementById(id)?.textContent;
const link = () => document.getElementById("open")?.getAttribute("href");

describe("the page behind an invitation's address", () => {
  it("says where one is invited and opens the app by the same words", () => {
    open("/join?server=192.168.1.20:7880&room=tea%20time&kind=text&scene=live");
    expect([text("room"), text("server")]).toEqual(["“tea time”", "192.168.1.20:7880"]);
    const wanted = "confab://join?server=192.168.1.20:7880&room=tea%20time&kind=text&scene=live";
    expect(link()).toBe(wanted);
    expect(document.querySelector("iframe")?.getAttribute("src")).toBe(wanted);
    expect(document.getElementById("link")).toHaveValue(wanted);
    expect(document.getElementById("invitation")).toBeVisible();
  });

  it("names its own server where the address names none", () => {
    open("/join?room=5#passcode=open%20sesame");
    expect(text("server")).toBe(location.host);
    const own = encodeURIComponent(location.origin);
    expect(link()).toBe(`confab://join?server=${own}&room=5&passcode=open%20sesame`);
  });

  it.each([
    "/join?room=%3Cimg%20src%3Dx%20onerror%3D%22window.hit%3D1%22%3E&server=%3Cb%3Eh%3C/b%3E",
    "/join?room=1%22%3E%3Cscript%3Ewindow.hit=1%3C/script%3E&kind=text",
    "/join?server=javascript:window.hit=1&room=javascript:window.hit=1",
    "/join?room=1#%22%3E%3Csvg/onload=window.hit=1%3E",
  ])("shows a hostile address as words: %s", (address) => {
    open(address);
    expect("hit" in window).toBe(false);
    for (const id of ["room", "server"])
      expect(document.getElementById(id)?.children).toHaveLength(0);
    expect(document.querySelectorAll("img, svg, b, main script")).toHaveLength(0);
    expect(link()).toMatch(/^confab:\/\/join\?/);
  });

  it("keeps a name to one short line without signs that change how it is read", () => {
    open(`/join?room=${encodeURIComponent(`a\u202eb\n${"x".repeat(500)}`)}&server=h`);
    expect(text("room")).toBe(`ab${"x".repeat(78)}…`);
  });

  it.each(["/join", "/join?room=", "/join?room=%ff", "/join?server=h"])(
    "says what is missing in %s",
    (address) => {
      open(address);
      expect(document.getElementById("broken")).toBeVisible();
      expect(text("broken")).toContain("does not say which room");
      expect(document.getElementById("invitation")).not.toBeVisible();
    },
  );
});
