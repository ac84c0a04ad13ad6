import { fakeHost } from "./fake";
import type { Host } from "./host";
import { drawPictures } from "./pictures";

/**
 * The simulated meeting of `npm run dev`. In the address: `?people=5`, `?camera=none`,
 * `?refuse=-100018`, and `?delay=` in milliseconds.
 */
export function demoHost(query: URLSearchParams): Host {
  const refuse = query.get("refuse");
  const host = fakeHost({
    people: Number(query.get("people") ?? 3),
    delay: Number(query.get("delay") ?? 600),
    noCamera: query.get("camera") === "none",
    ...(refuse === null
      ? {}
      : {
          refuse: { code: Number(refuse), message: "This UserSig has expired. Ask for a new one." },
        }),
  });
  drawPictures(host);
  // For the console: `confab.emit({ event: "onConnectionLost" })`.
  Object.assign(window, { confab: host });
  return host;
}
