/** The two containers that systems want icons in. Both may hold PNG images, so nothing is encoded here. */

export interface SizedImage {
  readonly pixels: number;
  readonly png: Buffer;
}

/** An ICO file (Windows) of these images. */
export function icoOf(images: readonly SizedImage[]): Buffer {
  const header = Buffer.alloc(6 + images.length * 16);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(images.length, 4);
  let offset = header.length;
  images.forEach(({ pixels, png }, index) => {
    const at = 6 + index * 16;
    // One byte for a size: 256 is written as 0.
    header.writeUInt8(pixels % 256, at);
    header.writeUInt8(pixels % 256, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([header, ...images.map(({ png }) => png)]);
}

/** Kinds of ICNS entries that hold PNG, and the pixels each wants. */
const icnsKinds = [
  ['ic11', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic13', 256],
  ['ic08', 256],
  ['ic14', 512],
  ['ic09', 512],
  ['ic10', 1024],
] as const;

/** An ICNS file (macOS); `image` gives the PNG of a size. */
export function icnsOf(image: (pixels: number) => Buffer): Buffer {
  const entries = icnsKinds.map(([kind, pixels]) => entry(kind, image(pixels)));
  return entry('icns', Buffer.concat(entries));
}

function entry(kind: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(kind, 0, 'latin1');
  head.writeUInt32BE(content.length + 8, 4);
  return Buffer.concat([head, content]);
}
