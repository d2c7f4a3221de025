const beyondAscii = /[\u0080-\uffff]/;

/** Length in UTF-8, counted here because the core has no encoder: a surrogate pair is two units and four bytes. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  const first = text.search(beyondAscii);
  if (first < 0) return bytes;
  for (let index = first; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) bytes += 1;
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 1;
  }
  return bytes;
}
