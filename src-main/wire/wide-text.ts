import { assert } from '../../shared/assert.ts';
import { wireTypes, type Codec } from './codec.ts';
import { Malformed } from './reader.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const forms = { utf8: 0, utf16: 1 } as const;

/**
 * Text that may begin or end in the middle of a surrogate pair, as a part of a longer text does: one byte that says
 * the form, then UTF-8, or UTF-16 little endian for what UTF-8 cannot say.
 */
export const wideText = (charsMax: number): Codec<string> => ({
  wireType: wireTypes.lengthDelimited,
  proto: { type: 'bytes', bound: `≤ ${charsMax} characters; first byte 0: UTF-8, 1: UTF-16LE` },
  parts: [],
  body: null,
  write: (writer, value) => {
    assert(value.length <= charsMax, `a text of at most ${charsMax} characters, not ${value.length}`);
    writer.bytes(
      value.isWellFormed() ? withForm(forms.utf8, encoder.encode(value)) : withForm(forms.utf16, utf16Of(value)),
    );
  },
  read: (reader) => {
    const length = reader.lengthUpTo(3 * charsMax + 1, 'a text');
    const bytes = reader.take(length);
    const value = textOf(bytes[0], bytes.subarray(1));
    if (value.length > charsMax) throw new Malformed('limit-reached', `a text is longer than ${charsMax}`);
    return value;
  },
});

function withForm(form: number, bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length + 1);
  result[0] = form;
  result.set(bytes, 1);
  return result;
}

function utf16Of(value: string): Uint8Array {
  const bytes = new Uint8Array(2 * value.length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < value.length; at++) view.setUint16(2 * at, value.charCodeAt(at), true);
  return bytes;
}

function textOf(form: number | undefined, bytes: Uint8Array): string {
  if (form === forms.utf8) return decoder.decode(bytes);
  if (form !== forms.utf16 || bytes.length % 2 !== 0) throw new Malformed('malformed', 'a text is in no known form');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  const unitsPerPart = 4_096;
  for (let from = 0; from < bytes.length; from += 2 * unitsPerPart) {
    const units: number[] = [];
    for (let at = from; at < Math.min(bytes.length, from + 2 * unitsPerPart); at += 2)
      units.push(view.getUint16(at, true));
    parts.push(String.fromCharCode(...units));
  }
  const value = parts.join('');
  if (value.isWellFormed()) throw new Malformed('malformed', 'a text is in the wrong form');
  return value;
}
