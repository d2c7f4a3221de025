import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StandInPort } from './ports.ts';

/** What goes to the child: a message with the numbers of its ports, or something for one of those ports. */
export type ToChild =
  | { readonly kind: 'message'; readonly data: unknown; readonly ports: readonly number[] }
  | { readonly kind: 'port-message'; readonly port: number; readonly data: unknown }
  | { readonly kind: 'port-closed'; readonly port: number };
export type FromChild = Exclude<ToChild, { kind: 'message' }> | { readonly kind: 'message'; readonly data: unknown };

/** Stands in for a utility process: a real Node process, whose ports travel over the channel that `fork` gives. */
export class StandInUtilityProcess extends EventEmitter {
  readonly #child: ChildProcess;
  readonly #ports = new Map<number, StandInPort>();
  #portCount = 0;

  constructor(program: string, args: readonly string[]) {
    super();
    const prelude = fileURLToPath(new URL('./utility-prelude.ts', import.meta.url));
    this.#child = fork(prelude, [program, ...args], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message) => this.#receive(message as FromChild));
    this.#child.on('exit', (code) => {
      for (const port of this.#ports.values()) port.close();
      this.emit('exit', code ?? 1);
    });
    this.#child.on('spawn', () => this.emit('spawn'));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdout(): ChildProcess['stdout'] {
    return this.#child.stdout;
  }

  get stderr(): ChildProcess['stderr'] {
    return this.#child.stderr;
  }

  postMessage(data: unknown, ports: readonly StandInPort[] = []): void {
    const numbers = ports.map((port) => this.#adopt(port));
    this.#send({ kind: 'message', data, ports: numbers });
  }

  kill(): boolean {
    return this.#child.kill('SIGKILL');
  }

  #adopt(port: StandInPort): number {
    const number = ++this.#portCount;
    this.#ports.set(number, port);
    port.raw.on('message', (data: unknown) => this.#send({ kind: 'port-message', port: number, data }));
    port.raw.on('close', () => {
      this.#ports.delete(number);
      this.#send({ kind: 'port-closed', port: number });
    });
    return number;
  }

  #send(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message);
  }

  #receive(message: FromChild): void {
    if (message.kind === 'message') this.emit('message', message.data);
    else if (message.kind === 'port-message') this.#ports.get(message.port)?.postMessage(message.data);
    else this.#ports.get(message.port)?.close();
  }
}
