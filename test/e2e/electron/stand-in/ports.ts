import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Stands in for Electron's `MessagePortMain`, over a port of Node. */
export class StandInPort extends EventEmitter {
  readonly raw: MessagePort;

  constructor(raw: MessagePort) {
    super();
    this.raw = raw;
    raw.on('close', () => this.emit('close'));
  }

  start(): void {
    this.raw.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
  }

  postMessage(data: unknown): void {
    this.raw.postMessage(data);
  }

  close(): void {
    this.raw.close();
  }
}

export class MessageChannelMain {
  readonly port1: StandInPort;
  readonly port2: StandInPort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new StandInPort(port1);
    this.port2 = new StandInPort(port2);
  }
}

/** What crosses to the browser: a text, or bytes written as base64. */
export type Carried = { readonly text: string } | { readonly base64: string };

export function carry(data: unknown): Carried {
  if (typeof data === 'string') return { text: data };
  if (data instanceof ArrayBuffer) return { base64: Buffer.from(data).toString('base64') };
  if (ArrayBuffer.isView(data))
    return { base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') };
  throw new Error('the stand-in carries texts and bytes only');
}

export const uncarry = (carried: Carried): unknown =>
  'text' in carried ? carried.text : new Uint8Array(Buffer.from(carried.base64, 'base64'));
