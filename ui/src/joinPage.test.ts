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
    "/join?room=1&scene=%3Cimg%20src%3Dx%20onerror%3D%22window.hit%3D1%22%3E",
  ])("shows a hostile address as words: %s", (address) => {
    open(address);
    expect("hit" in window).toBe(false);
    for (const id of ["room", "server", "broken"])
      expect(document.getElementById(id)?.children).toHaveLength(0);
    expect(document.querySelectorAll("img, svg, b, main script")).toHaveLength(0);
    expect(link() ?? "confab://join?").toMatch(/^confab:\/\/join\?/);
  });

  it("keeps what it repeats to one short line without signs that change how it is read", () => {
    open(`/join?room=${encodeURIComponent(`a\u202eb\n${"x".repeat(500)}`)}&server=h`);
    expect(text("broken")).toContain(`its room “ab${"x".repeat(78)}…” is no number`);
  });

  it("names where to get the app, in a place that the server fills", () => {
    open("/join?room=1");
    expect(text("invitation")).toContain("not installed on this computer. {source} Install it");
  });

  const digits = "0f".repeat(32);
  it.each([
    ["", "it does not say which room"],
    ["room=", "it does not say which room"],
    ["server=h", "it does not say which room"],
    ["room=%ff", "its room is cut or changed: behind each % belong two hexadecimal digits"],
    [
      "room=1&passcode=%zz",
      "its passcode is cut or changed: behind each % belong two hexadecimal digits",
    ],
    ["room=1&room=2", "it says its room twice"],
    ["room=1&passcode=planted#passcode=planted", "it says its passcode twice"],
    ["room=1&server=a%20b", "its server “a b” is no address"],
    ["room=1&server=ftp://h", "its server “ftp://h” is no address"],
    ["room=1&server=h:99999", "its server “h:99999” is no address"],
    ["room=1&server=u@h", "its server “u@h” is no address"],
    ["room=1&server=[::g]", "its server “[::g]” is no address"],
    ["room=1&server=h%23short", "its server “h#short” is no address"],
    ["room=1&server=h&fingerprint=0f", "its fingerprint does not have 64 hexadecimal digits"],
    [
      `room=1&server=h&fingerprint=${digits}0`,
      "its fingerprint does not have 64 hexadecimal digits",
    ],
    [`room=1&server=http://h&fingerprint=${digits}`, "an address that is not encrypted"],
    ["room=tea", "its room “tea” is no number from 1 to 4294967294; a name needs kind=text"],
    ["room=0", "its room “0” is no number"],
    ["room=4294967295", "its room “4294967295” is no number"],
    ["room=1.5", "its room “1.5” is no number"],
    ["room=a/b&kind=text", "its room “a/b” has more than 64 characters, or one that no room has"],
    [`room=${"a".repeat(65)}&kind=text`, "has more than 64 characters"],
    ["room=1&kind=name", "its kind of room is “name”; it is number or text"],
    ["room=1&scene=tv", "its scene “tv” does not exist"],
    ["room=1&scene=4", "its scene “4” does not exist"],
    ["room=1&app=0", "its SDKAppID “0” is no number from 1 to 4294967295"],
    ["room=1&user=a%20b", "its user ID “a b” has more than 32 characters, or one that"],
    [`room=1&sig=${"s".repeat(8193)}`, "its UserSig has more than 8192 characters"],
    [`room=1&passcode=${"p".repeat(257)}`, "its passcode has more than 256 characters"],
    [`room=1&ticket=${"t".repeat(257)}`, "its ticket has more than 256 characters"],
  ])("says what is wrong with %s and offers nothing", (query, why) => {
    open(`/join?${query}`);
    expect(document.getElementById("broken")).toBeVisible();
    expect(text("broken")).toContain(why);
    expect(text("broken")).not.toContain("planted");
    expect(document.getElementById("invitation")).not.toBeVisible();
    expect(link()).toBeNull();
    expect(document.querySelector("iframe")).toBeNull();
  });

  it.each([
    "server=192.168.1.20:7880&room=123&kind=number&scene=videoCall",
    `server=10.0.0.1:9&fingerprint=${digits.toUpperCase()}&room=4294967294&scene=0`,
    `server=h%23${"A".repeat(43)}&room=1`,
    "server=[fd00::2]:7&room=1",
    "server=https://meet.example/base/&room=1",
    "server=wss://meet.example:443&room=1&app=1400000001&user=a-b_C&sig=eJx-_sig*&colour=red",
    `room=${encodeURIComponent("a !#$%&()+-:;<=.>?@[]^_{}|~,Z9")}&kind=text&scene=live`,
    `room=1&passcode=${encodeURIComponent("öffne dich: & =")}&ticket=${"t".repeat(256)}`,
  ])("takes what the app takes: %s", (query) => {
    open(`/join?${query}`);
    expect(document.getElementById("invitation")).toBeVisible();
    expect(document.getElementById("broken")).not.toBeVisible();
    expect(link()).toContain(query);
  });
});
