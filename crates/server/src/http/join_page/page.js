"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  // What stands in the address, as it stands there: the app reads the same.
  const parts = [location.search.slice(1), location.hash.slice(1)].filter((part) => part !== "");
  // One short line: an address may hold anything.
  const line = (text) => {
    const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
    return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
  };

  // What an invitation may have, in the app's words. Its rules are those of the app, which reads the link again.
  const NAMES = {
    server: "server",
    fingerprint: "fingerprint",
    room: "room",
    kind: "kind of room",
    scene: "scene",
    app: "SDKAppID",
    user: "user ID",
    sig: "UserSig",
    passcode: "passcode",
    ticket: "ticket",
  };
  // The first thing that is wrong.
  let fault = "";
  const refuse = (why) => {
    fault ||= why;
  };
  const given = {};
  for (const pair of parts.join("&").split("&")) {
    const [key, ...rest] = pair.split("=");
    // Others may come from a newer version.
    if (!Object.hasOwn(NAMES, key)) continue;
    if (Object.hasOwn(given, key)) refuse(`it says its ${NAMES[key]} twice`);
    given[key] = "";
    try {
      given[key] = decodeURIComponent(rest.join("="));
    } catch {
      refuse(`its ${NAMES[key]} is cut or changed: behind each % belong two hexadecimal digits`);
    }
  }
  const value = (key) => given[key] ?? "";
  const within = (text, most) => /^\+?[0-9]+$/.test(text) && Number(text) >= 1 && Number(text) <= most;
  // Secrets are not repeated.
  const check = (key, isGood, why) => {
    if (value(key) !== "" && !isGood(value(key))) refuse(`its ${NAMES[key]} ${why}`);
  };
  const quoted = (key) => `“${line(value(key))}”`;
  const noLonger = (key, most) =>
    check(key, (text) => [...text].length <= most, `has more than ${most} characters`);

  const isAddress = (text) => {
    const found = /^(?:(?:https?|wss?):\/\/)?(\[[^\]]*\]|[^:/[\]]+)(?::([0-9]+))?(?:\/.*)?$/.exec(text);
    const isPlain = /^[!-~]{1,512}$/.test(text) && !/[?#@\\"<>]/.test(text);
    const [, host, port] = found ?? [];
    return isPlain && host !== undefined && isHost(host) && (port === undefined || within(port, 65535));
  };
  const isHost = (host) => {
    if (!host.startsWith("[")) return true;
    try {
      return new URL(`http://${host}/`).hostname !== "";
    } catch {
      return false;
    }
  };
  // An address may end in the fingerprint of its certificate.
  const [server, ...pinned] = (value("server") || location.origin).trim().split("#");
  if (!isAddress(server) || !pinned.every((digits) => /^[\w-]{42}[AEIMQUYcgkosw048]$/.test(digits)) || pinned.length > 1)
    refuse(`its server ${quoted("server")} is no address`);
  check("fingerprint", (text) => /^[0-9a-f]{64}$/i.test(text), "does not have 64 hexadecimal digits");
  const isPinned = pinned.length > 0 || value("fingerprint") !== "";
  if (isPinned && /^(?:http|ws):/.test(server))
    refuse("its server has a fingerprint and an address that is not encrypted");
  if (pinned.length > 0 && value("fingerprint") !== "") refuse("it says its fingerprint twice");

  if (value("room") === "") refuse("it does not say which room");
  check("kind", (text) => /^(?:number|text)$/.test(text), `is ${quoted("kind")}; it is number or text`);
  if (value("kind") === "text") {
    const isText = (text) => /^[A-Za-z0-9 !#$%&()+:;<=.>?@[\]^_{}|~,-]{1,64}$/.test(text);
    check("room", isText, `${quoted("room")} has more than 64 characters, or one that no room has`);
  } else {
    const isNumber = (text) => within(text.trim(), 4294967294);
    check("room", isNumber, `${quoted("room")} is no number from 1 to 4294967294; a name needs kind=text`);
  }
  const isScene = (text) => /^(?:\+?0*[0-3]|videoCall|live|audioCall|voiceChatRoom)$/.test(text);
  check("scene", isScene, `${quoted("scene")} does not exist`);
  check("app", (text) => within(text.trim(), 4294967295), `${quoted("app")} is no number from 1 to 4294967295`);
  const isUser = (text) => /^[\w-]{1,32}$/.test(text);
  check("user", isUser, `${quoted("user")} has more than 32 characters, or one that no user ID has`);
  noLonger("sig", 8192);
  noLonger("passcode", 256);
  noLonger("ticket", 256);

  if (fault !== "") {
    at("broken").textContent =
      `This invitation is broken: ${fault}. Ask whoever invited you to send it again.`;
    at("broken").hidden = false;
    return;
  }
  if (value("server") === "") parts.unshift(`server=${encodeURIComponent(location.origin)}`);
  const link = `confab://join?${parts.join("&")}`;
  at("room").textContent = value("kind") === "text" ? quoted("room") : line(value("room").trim());
  at("server").textContent = line(value("server").trim() || location.host).replace(/^https?:\/\//, "");
  at("open").setAttribute("href", link);
  at("link").value = link;
  at("invitation").hidden = false;

  at("copy").addEventListener("click", async () => {
    at("link").select();
    let copied = false;
    try {
      // Only pages that came encrypted have a clipboard.
      await navigator.clipboard.writeText(link);
      copied = true;
    } catch {
      copied = document.execCommand("copy");
    }
    at("said").textContent = copied
      ? "Copied."
      : "This browser does not copy. The link is selected: copy it with the keyboard.";
  });
  // Browsers ask whether they may. In a frame one that knows no such link says so there, not instead of
  // this page.
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = link;
  document.body.append(frame);
})();
