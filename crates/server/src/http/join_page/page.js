"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  // What stands in the address, as it stands there: the app reads it and says what is wrong.
  const parts = [location.search.slice(1), location.hash.slice(1)].filter((part) => part !== "");
  const value = (key) => {
    const found = parts.join("&").split("&").find((pair) => pair.startsWith(`${key}=`));
    try {
      return decodeURIComponent((found ?? "").slice(key.length + 1)).trim();
    } catch {
      return "";
    }
  };
  // One short line: an address may hold anything.
  const line = (text) => {
    const plain = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "");
    return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
  };

  const room = line(value("room"));
  if (room === "") {
    at("broken").textContent =
      "This address does not say which room. Ask whoever invited you to send the invitation again.";
    at("broken").hidden = false;
    return;
  }
  if (value("server") === "") parts.unshift(`server=${encodeURIComponent(location.origin)}`);
  const link = `confab://join?${parts.join("&")}`;
  at("room").textContent = value("kind") === "text" ? `“${room}”` : room;
  at("server").textContent = line(value("server") || location.host).replace(/^https?:\/\//, "");
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
