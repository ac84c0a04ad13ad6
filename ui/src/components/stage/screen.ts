import type { Planes } from "../../state/frames";
import { boundsOf, partsOf, placementOf, type Placement } from "../../state/placement";
import type { Rect } from "../../types/Rect";
import type { Scene } from "../../types/Scene";
import type { Tile } from "../../types/Tile";
import { CORE, RIM, VERTEX } from "./shader";

/** What draws scenes: a canvas with WebGL, or what a test puts in its place. */
export type Screen = {
  /** Takes somebody's picture over; null when there is none any more. */
  put(id: string, picture: Planes | null): void;
  /** Draws a scene. The pictures of everybody else are let go. */
  draw(scene: Scene): void;
  /** Lets everything go. */
  close(): void;
};

/** A picture as the driver holds it. */
type Held = { width: number; height: number; planes: [WebGLTexture, WebGLTexture, WebGLTexture] };

/** A program and where its numbers go. */
type Pen = { program: WebGLProgram; at: ReadonlyMap<string, WebGLUniformLocation> };

/** Draws on `canvas`; null where the webview has no WebGL. */
export function openScreen(canvas: HTMLCanvasElement): Screen | null {
  const gl = canvas.getContext("webgl", {
    alpha: false,
    antialias: false,
    depth: false,
    stencil: false,
  });
  if (gl === null) return null;
  const core = penOf(gl, CORE);
  const rim = penOf(gl, RIM);
  const corners = gl.createBuffer();
  if (core === null || rim === null) return null;
  gl.bindBuffer(gl.ARRAY_BUFFER, corners);
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return new GlScreen(canvas, gl, core, rim);
}

class GlScreen implements Screen {
  private readonly pictures = new Map<string, Held>();

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGLRenderingContext,
    private readonly core: Pen,
    private readonly rim: Pen,
  ) {}

  put(id: string, picture: Planes | null): void {
    const held = this.pictures.get(id);
    if (picture === null) {
      this.drop(id);
    } else if (held?.width === picture.width && held.height === picture.height) {
      this.fill(held, picture, false);
    } else {
      this.drop(id);
      const { width, height } = picture;
      const fresh: Held = { width, height, planes: [this.plane(), this.plane(), this.plane()] };
      this.fill(fresh, picture, true);
      this.pictures.set(id, fresh);
    }
  }

  draw(scene: Scene): void {
    const { gl } = this;
    const shown = new Set(scene.tiles.map(({ id }) => id));
    for (const id of this.pictures.keys()) if (!shown.has(id)) this.drop(id);
    const bounds = boundsOf(scene);
    this.cover(bounds, scene.scale);
    if (bounds === null) return;
    gl.viewport(0, 0, bounds.w, bounds.h);
    const [red, green, blue] = unit(scene.background);
    gl.clearColor(red, green, blue, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const tile of scene.tiles) this.tile(tile, scene, bounds);
  }

  close(): void {
    for (const id of this.pictures.keys()) this.drop(id);
    this.gl.deleteProgram(this.core.program);
    this.gl.deleteProgram(this.rim.program);
  }

  /** Puts the canvas there, no larger than it has to be: without a graphics card each pixel counts. */
  private cover(bounds: Rect | null, scale: number): void {
    const { canvas } = this;
    canvas.style.display = bounds === null ? "none" : "block";
    if (bounds === null) return;
    if (canvas.width !== bounds.w || canvas.height !== bounds.h) {
      canvas.width = bounds.w;
      canvas.height = bounds.h;
    }
    const sides = { left: bounds.x, top: bounds.y, width: bounds.w, height: bounds.h };
    for (const [side, pixels] of Object.entries(sides)) {
      canvas.style.setProperty(side, `${pixels / scale}px`);
    }
  }

  private tile(tile: Tile, scene: Scene, bounds: Rect): void {
    const { gl } = this;
    const held = this.pictures.get(tile.id) ?? null;
    const placement = placementOf(tile, held, scene);
    held?.planes.forEach((plane, index) => {
      gl.activeTexture(gl.TEXTURE0 + index);
      gl.bindTexture(gl.TEXTURE_2D, plane);
    });
    const { core, rim } = partsOf(tile.rect, placement, held !== null);
    gl.enable(gl.BLEND);
    this.use(this.rim, tile, placement, bounds);
    this.vector(this.rim, "rect", numbers(tile.rect));
    this.vector(this.rim, "card", unit(scene.card));
    this.vector(this.rim, "accent", unit(scene.accent));
    this.number(this.rim, "radius", placement.radius);
    this.number(this.rim, "frame", placement.frame);
    this.number(this.rim, "shown", held === null ? 0 : 1);
    for (const part of rim) this.paint(this.rim, part);
    if (core === null) return;
    gl.disable(gl.BLEND);
    this.use(this.core, tile, placement, bounds);
    this.paint(this.core, core);
  }

  private use(pen: Pen, tile: Tile, { placed, taps }: Placement, bounds: Rect): void {
    this.gl.useProgram(pen.program);
    ["luma", "blue", "red"].forEach((name, index) => {
      this.gl.uniform1i(pen.at.get(name) ?? null, index);
    });
    this.vector(pen, "bounds", numbers(bounds));
    this.vector(pen, "placed", numbers(placed));
    this.number(pen, "mirror", tile.mirror ? 1 : 0);
    this.number(pen, "taps", taps);
  }

  private paint(pen: Pen, part: Rect): void {
    this.vector(pen, "part", numbers(part));
    this.gl.drawArrays(this.gl.TRIANGLE_STRIP, 0, 4);
  }

  private vector(pen: Pen, name: string, value: Four): void {
    this.gl.uniform4f(pen.at.get(name) ?? null, ...value);
  }

  private number(pen: Pen, name: string, value: number): void {
    this.gl.uniform1f(pen.at.get(name) ?? null, value);
  }

  private plane(): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
      gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
    }
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, filter, gl.LINEAR);
    }
    return texture;
  }

  private fill({ planes: [luma, blue, red] }: Held, picture: Planes, fresh: boolean): void {
    const { gl } = this;
    const { width, height, y, u, v } = picture;
    gl.activeTexture(gl.TEXTURE0);
    for (const [plane, w, h, bytes] of [
      [luma, width, height, y],
      [blue, width / 2, height / 2, u],
      [red, width / 2, height / 2, v],
    ] as const) {
      gl.bindTexture(gl.TEXTURE_2D, plane);
      const form = gl.LUMINANCE;
      const byte = gl.UNSIGNED_BYTE;
      if (fresh) gl.texImage2D(gl.TEXTURE_2D, 0, form, w, h, 0, form, byte, bytes);
      else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, w, h, form, byte, bytes);
    }
  }

  private drop(id: string): void {
    this.pictures.get(id)?.planes.forEach((plane) => {
      this.gl.deleteTexture(plane);
    });
    this.pictures.delete(id);
  }
}

type Four = [number, number, number, number];

function numbers({ x, y, w, h }: Rect): Four {
  return [x, y, w, h];
}

function unit([red, green, blue, opacity]: readonly number[] & Four): Four {
  return [red / 255, green / 255, blue / 255, opacity / 255];
}

function penOf(gl: WebGLRenderingContext, fragment: string): Pen | null {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, "unit");
  gl.linkProgram(program);
  if (gl.getProgramParameter(program, gl.LINK_STATUS) !== true) return null;
  const at = new Map<string, WebGLUniformLocation>();
  const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) as number;
  for (let index = 0; index < count; index++) {
    const name = gl.getActiveUniform(program, index)?.name;
    const place = name === undefined ? null : gl.getUniformLocation(program, name);
    if (name !== undefined && place !== null) at.set(name, place);
  }
  return { program, at };
}
