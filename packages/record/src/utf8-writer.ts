// Writes a string as UTF-8 straight into a buffer at hand, so that a header's key costs no allocation.
// A lone surrogate becomes U+FFFD, as TextEncoder does it; `utf8Bytes` and `writeUtf8` agree on every string.

function isPair(text: string, index: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff || index + 1 >= text.length) return false;
  const low = text.charCodeAt(index + 1);
  return low >= 0xdc00 && low <= 0xdfff;
}

/** Bytes that `text` takes as UTF-8. */
export function utf8Bytes(text: string): number {
  let size = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) size += 1;
    else if (unit < 0x800) size += 2;
    else if (isPair(text, index, unit)) {
      size += 4;
      index++;
    } else size += 3;
  }
  return size;
}

/** The caller guarantees `utf8Bytes(text)` bytes of room. Returns the position behind the text. */
export function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  let next = at;
  for (let index = 0; index < text.length; index++) {
    let unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[next++] = unit;
    } else if (unit < 0x800) {
      bytes[next++] = 0xc0 | (unit >> 6);
      bytes[next++] = 0x80 | (unit & 0x3f);
    } else if (isPair(text, index, unit)) {
      unit = 0x10000 + ((unit - 0xd800) << 10) + (text.charCodeAt(++index) - 0xdc00);
      bytes[next++] = 0xf0 | (unit >> 18);
      bytes[next++] = 0x80 | ((unit >> 12) & 0x3f);
      bytes[next++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[next++] = 0x80 | (unit & 0x3f);
    } else {
      if (unit >= 0xd800 && unit <= 0xdfff) unit = 0xfffd;
      bytes[next++] = 0xe0 | (unit >> 12);
      bytes[next++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[next++] = 0x80 | (unit & 0x3f);
    }
  }
  return next;
}
