"""What other decoders see in PNG files: Pillow, and pypng where Pillow has another idea of transparency.

  picture_oracle.py modes FOLDER    writes a file a mode that Pillow can write, and more of its ways to compress
  picture_oracle.py pixels FILE…    a line a file: name, width, height, CRC-32 of its pixels over black, over white

Pixels are R, G, B of 8 bits (of 16, the upper 8), laid over the colour by round((a c + (255 - a) b) / 255).
"""
import os
import sys
import zlib

import numpy as np
import png
from PIL import Image


def by_pypng(path):
    width, height, rows, info = png.Reader(filename=path).asRGBA()
    values = np.array([list(row) for row in rows], dtype=np.int64).reshape(height, width, 4)
    return values >> 8 if info["bitdepth"] == 16 else values * 255 // (2 ** info["bitdepth"] - 1)


def by_pillow(path):
    """None where Pillow compares what is transparent with values of another depth."""
    image = Image.open(path)
    with open(path, "rb") as file:
        depth, color = file.read(26)[24:26]
    if "transparency" in image.info and color in (0, 2) and depth != 8:
        return None
    if image.mode.startswith("I"):
        gray = np.asarray(image).astype(np.int64) >> 8
        return np.stack([gray, gray, gray, np.full_like(gray, 255)], axis=2)
    return np.asarray(image.convert("RGBA")).astype(np.int64)


def pixels(path):
    seen = by_pypng(path)
    also = by_pillow(path)
    if also is not None:
        opaque = (seen[..., 3:] > 0) | (also[..., 3:] > 0)
        assert (seen[..., 3] == also[..., 3]).all(), f"{path}: the decoders differ in alpha"
        assert (np.where(opaque, seen, 0) == np.where(opaque, also, 0)).all(), f"{path}: they differ"
    color, alpha = seen[..., :3], seen[..., 3:]
    sums = []
    for behind in (0, 255):
        over = (2 * (color * alpha + behind * (255 - alpha)) + 255) // 510
        sums.append(zlib.crc32(over.astype(np.uint8).tobytes()))
    return f"{os.path.basename(path)} {seen.shape[1]} {seen.shape[0]} {sums[0]:08x} {sums[1]:08x}"


def modes(folder):
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:37, 0:53]
    ramp = (x * 4 + y * 2 + rng.integers(0, 9, x.shape)) % 256
    rgb = np.stack([ramp, (ramp * 3) % 256, 255 - ramp], axis=2).astype(np.uint8)
    alpha = ((x * 5) % 256).astype(np.uint8)
    gray = Image.fromarray(ramp.astype(np.uint8))
    color = Image.fromarray(rgb)
    wide = Image.fromarray((ramp * 257 - ramp // 3).astype(np.uint16))
    files = {
        "1": (gray.convert("1"), {}),
        "1-transparent": (gray.convert("1"), {"transparency": 1}),
        "L": (gray, {}),
        "L-transparent": (gray, {"transparency": int(ramp[3, 4])}),
        "LA": (Image.merge("LA", (gray, Image.fromarray(alpha))), {}),
        "I;16": (wide, {}),
        "P1": (color.quantize(2), {"bits": 1}),
        "P2": (color.quantize(4), {"bits": 2}),
        "P4": (color.quantize(16), {"bits": 4}),
        "P8": (color.quantize(200), {}),
        "P-transparent": (color.quantize(16), {"transparency": bytes(range(0, 240, 15))}),
        "RGB": (color, {"optimize": True}),
        "RGB-transparent": (color, {"transparency": tuple(int(v) for v in rgb[5, 6])}),
        "RGBA": (Image.fromarray(np.dstack([rgb, alpha])), {}),
        "RGB-stored": (color, {"compress_level": 0}),
        "RGB-fixed": (color, {"compress_type": 4}),
        "RGB-huffman": (color, {"compress_type": 2}),
        "RGB-runs": (color, {"compress_type": 3}),
    }
    for name, (image, options) in files.items():
        image.save(os.path.join(folder, name + ".png"), **options)


if sys.argv[1] == "modes":
    modes(sys.argv[2])
else:
    for path in sys.argv[2:]:
        print(pixels(path))
