import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const CSS = readFileSync("src/styles.css", "utf8");

/** The colours of a theme, by name. */
function colours(theme: string): Map<string, string> {
  const block = new RegExp(`data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(CSS)?.[1] ?? "";
  const found = `${block}${/--stop: #\w+;/.exec(CSS)?.[0] ?? ""}`;
  return new Map(
    Array.from(found.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g), ([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );
}

/** Relative luminance, 0 to 1 (WCAG 2.2). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** What stands on what: words. */
const WORDS = [
  [
    "text",
    ["page", "stage", "surface", "raised", "sunken", "hover", "accent-soft", "card", "tile"],
  ],
  ["muted", ["page", "stage", "surface", "raised", "sunken", "hover"]],
  ["on-accent", ["accent", "accent-strong"]],
  ["danger", ["surface", "danger-soft"]],
  ["warning", ["warning-soft", "raised"]],
] as const;

/** Outlines and icons, without which a control is not seen. */
const SHAPES = [
  ["control-line", ["surface", "raised"]],
  ["accent", ["surface", "raised", "accent-soft"]],
  ["ring", ["page", "stage", "surface", "raised", "accent-soft"]],
  ["danger", ["surface", "raised"]],
] as const;

describe.each(["light", "dark"])("the %s colours", (theme) => {
  const known = colours(theme);
  const value = (name: string): string => {
    const found = known.get(name);
    if (found === undefined) throw new Error(`there is no --${name} in the ${theme} theme`);
    return found;
  };
  const pairs = (table: readonly (readonly [string, readonly string[]])[]) =>
    table.flatMap(([front, grounds]) => grounds.map((ground) => [front, ground] as const));

  it.each(pairs(WORDS))("let --%s be read on --%s", (front, ground) => {
    expect(contrast(value(front), value(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(SHAPES))("let --%s be seen on --%s", (front, ground) => {
    expect(contrast(value(front), value(ground))).toBeGreaterThanOrEqual(3);
  });

  it("let white be read on --stop", () => {
    expect(contrast("#ffffff", value("stop"))).toBeGreaterThanOrEqual(4.5);
  });
});
