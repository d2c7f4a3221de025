import { usage, type CliContext } from './cli-context.ts';

/** All of standard input as text. Throws `bad-input`, naming what it was for, beyond `bytesMax`. */
export async function readStdin(context: CliContext, what: string, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of context.world.stdin as AsyncIterable<Buffer | string>) {
    const buffer = Buffer.from(part);
    bytes += buffer.length;
    if (bytes > bytesMax) throw usage(`${what}: standard input is too long`, `Give at most ${bytesMax} bytes.`);
    parts.push(buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}
