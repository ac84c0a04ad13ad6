import type { Rect } from "../types/Rect";
import type { Scene } from "../types/Scene";
import type { Tile } from "../types/Tile";
import type { FakeHost } from "./fake";

/** Draws what the shell would draw under the page: a moving picture in every tile. */
export function drawPictures(host: FakeHost): void {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, { position: "fixed", inset: "0", zIndex: "-2" });
  document.body.append(canvas);
  const context = canvas.getContext("2d");
  if (!context) return;
  const draw = (time: number) => {
    const stage = host.stage();
    if (stage) {
      const [width, height] = stage.size;
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
        canvas.style.width = `${width / stage.scale}px`;
        canvas.style.height = `${height / stage.scale}px`;
      }
      context.fillStyle = `rgb(${stage.background.slice(0, 3).join(" ")})`;
      context.fillRect(0, 0, canvas.width, canvas.height);
      stage.tiles.forEach((tile, index) => {
        drawPerson(context, tile.rect, index, time / 1000);
        if (tile.speaking) drawFrame(context, tile, stage);
      });
    }
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
}

function drawFrame(context: CanvasRenderingContext2D, { rect, radius }: Tile, stage: Scene) {
  const thick = 3 * stage.scale;
  context.strokeStyle = `rgb(${stage.accent.slice(0, 3).join(" ")})`;
  context.lineWidth = thick;
  context.beginPath();
  context.roundRect(
    rect.x + thick / 2,
    rect.y + thick / 2,
    rect.w - thick,
    rect.h - thick,
    radius - thick / 2,
  );
  context.stroke();
}

function drawPerson(context: CanvasRenderingContext2D, rect: Rect, index: number, time: number) {
  const { x, y, w, h } = rect;
  const hue = (index * 67 + 20) % 360;
  context.save();
  context.beginPath();
  context.rect(x, y, w, h);
  context.clip();
  const wall = context.createLinearGradient(x, y, x + w, y + h);
  wall.addColorStop(0, `hsl(${hue} 28% 62%)`);
  wall.addColorStop(1, `hsl(${(hue + 40) % 360} 30% 34%)`);
  context.fillStyle = wall;
  context.fillRect(x, y, w, h);
  const sway = Math.sin(time * 0.8 + index) * w * 0.02;
  const bob = Math.sin(time * 1.7 + index * 2) * h * 0.008;
  const cx = x + w / 2 + sway;
  const cy = y + h * 0.46 + bob;
  context.fillStyle = `hsl(${(hue + 180) % 360} 32% 30%)`;
  context.beginPath();
  context.ellipse(cx, y + h * 1.06, w * 0.24, h * 0.36, 0, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = `hsl(${22 + index * 3} 42% ${72 - index * 6}%)`;
  context.beginPath();
  context.ellipse(cx, cy, h * 0.17, h * 0.22, 0, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = `hsl(${hue} 22% 18%)`;
  context.beginPath();
  context.ellipse(cx, cy - h * 0.13, h * 0.185, h * 0.13, 0, Math.PI, 0);
  context.fill();
  context.restore();
}
