/** Runs first in the process that stands in for a utility process: gives it `process.parentPort`, then the real program. */
import { EventEmitter } from 'node:events';
import { pathToFileURL } from 'node:url';
import type { FromChild, ToChild } from './utility-process.ts';

class ChildPort extends EventEmitter {
  readonly #number: number;

  constructor(number: number) {
    super();
    this.#number = number;
  }

  start(): void {}

  postMessage(data: unknown): void {
    send({ kind: 'port-message', port: this.#number, data });
  }

  close(): void {
    send({ kind: 'port-closed', port: this.#number });
  }
}

const ports = new Map<number, ChildPort>();
const parentPort = Object.assign(new EventEmitter(), {
  postMessage: (data: unknown) => send({ kind: 'message', data }),
});

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

process.on('message', (message) => {
  const received = message as ToChild;
  if (received.kind === 'message') {
    const handed = received.ports.map((number) => {
      const port = new ChildPort(number);
      ports.set(number, port);
      return port;
    });
    parentPort.emit('message', { data: received.data, ports: handed });
    return;
  }
  const port = ports.get(received.port);
  if (received.kind === 'port-message') port?.emit('message', { data: received.data, ports: [] });
  else if (ports.delete(received.port)) port?.emit('close');
});
// A utility process does not outlive its app.
process.on('disconnect', () => process.exit(0));

const [program = '', ...args] = process.argv.slice(2);
process.argv.splice(1, process.argv.length, program, ...args);
Object.assign(process, { parentPort });
// Some code goes another way inside Electron: it must go that way here too.
Object.defineProperty(process.versions, 'electron', { value: '45.4.1', enumerable: true });
await import(pathToFileURL(program).href);
