import { expect, it } from "vitest";
import { EMPTY_FORM } from "./join";
import { rememberedForm, rememberForm } from "./memory";
import { rememberedTheme, rememberTheme } from "./theme";

it("brings the form back", () => {
  rememberForm(localStorage, {
    ...EMPTY_FORM,
    name: "Ada",
    scene: 3,
    role: 21,
    lan: true,
    hostWaiting: true,
    receiveAudio: false,
  });
  expect(rememberedForm(localStorage)).toMatchObject({
    name: "Ada",
    scene: 3,
    role: 21,
    lan: true,
    hostWaiting: true,
    receiveAudio: false,
    receiveVideo: true,
  });
});

it.each(["", "{", "null", "7", '{"scene":9,"role":1,"name":5,"where":"moon","lan":"yes"}'])(
  "starts empty when what was kept is %j",
  (text) => {
    localStorage.setItem("confab.join", text);
    expect(rememberedForm(localStorage)).toEqual({});
  },
);

it("keeps no secret", () => {
  const secrets = { userSig: "planted", privateMapKey: "planted", passcode: "planted" };
  rememberForm(localStorage, {
    ...EMPTY_FORM,
    ...secrets,
    hostPasscode: "planted",
    ticket: "planted",
  });
  expect(localStorage.getItem("confab.join")).not.toContain("planted");
});

it("does without a place to keep things", () => {
  rememberForm(null, EMPTY_FORM);
  expect(rememberedForm(null)).toEqual({});
});

it("follows the system until a theme is chosen", () => {
  expect(rememberedTheme(localStorage)).toBe("system");
  rememberTheme(localStorage, "dark");
  expect(rememberedTheme(localStorage)).toBe("dark");
  localStorage.setItem("confab.theme", "purple");
  expect(rememberedTheme(localStorage)).toBe("system");
});
