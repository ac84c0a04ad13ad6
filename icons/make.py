#!/usr/bin/env python3
"""Makes the app's icons from confab.svg beside it. Needs rsvg-convert (Debian: librsvg2-bin)."""

import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Names that Tauri knows, and the other sizes that desktops on Linux look for.
PNG = {"16x16": 16, "24x24": 24, "32x32": 32, "48x48": 48, "64x64": 64, "128x128": 128, "128x128@2x": 256,
       "icon": 512}
ICO = [16, 24, 32, 48, 64, 256]
# Apple's names for the sizes, all holding PNG.
ICNS = {b"icp4": 16, b"icp5": 32, b"ic11": 32, b"ic12": 64, b"ic07": 128, b"ic13": 256, b"ic08": 256,
        b"ic14": 512, b"ic09": 512, b"ic10": 1024}


def drawn(side: int) -> bytes:
    command = ["rsvg-convert", "--width", str(side), "--height", str(side), str(HERE / "confab.svg")]
    return subprocess.run(command, check=True, capture_output=True).stdout


def ico(sides: list[int]) -> bytes:
    pictures = [drawn(side) for side in sides]
    head, offset = struct.pack("<3H", 0, 1, len(sides)), 6 + 16 * len(sides)
    for side, picture in zip(sides, pictures):
        head += struct.pack("<4B2H2I", side % 256, side % 256, 0, 0, 1, 32, len(picture), offset)
        offset += len(picture)
    return head + b"".join(pictures)


def icns(kinds: dict[bytes, int]) -> bytes:
    parts = [(kind, drawn(side)) for kind, side in kinds.items()]
    body = b"".join(kind + struct.pack(">I", len(picture) + 8) + picture for kind, picture in parts)
    return b"icns" + struct.pack(">I", len(body) + 8) + body


for name, side in PNG.items():
    (HERE / f"{name}.png").write_bytes(drawn(side))
(HERE / "icon.ico").write_bytes(ico(ICO))
(HERE / "icon.icns").write_bytes(icns(ICNS))
