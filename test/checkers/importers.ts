import { readHistory, type Fields, type Operation, type Scalar } from './history.ts';

/** One line of a foreign log. Times are line numbers: such logs say only in which order things happened. */
interface ForeignEvent {
  readonly process: string;
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  readonly kind: string;
  readonly key: string;
  readonly value: string;
}

interface Format {
  readonly recognises: RegExp;
  parse(line: string): ForeignEvent | null;
  argumentsOf(event: ForeignEvent): Fields;
  resultOf(invoked: ForeignEvent, ended: ForeignEvent): Fields | null;
}

const register: Readonly<Record<string, string>> = { read: 'get', write: 'put', cas: 'cas' };
const number = (text: string): Scalar => (text === 'nil' ? null : text);

/** `INFO  jepsen.util - 3 :ok :cas [3 0]`: one register, in Jepsen's log. `:info` and time-outs: outcome unknown. */
const jepsenLog: Format = {
  recognises: /^INFO\s+jepsen/,
  parse(line) {
    const match = /^INFO\s+jepsen\S*\s+-\s+(\S+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.*)$/.exec(line);
    if (match === null) return null;
    const [, process = '', type, kind = '', value = ''] = match;
    return { process, type: type as ForeignEvent['type'], kind: register[kind] ?? kind, key: 'register', value };
  },
  argumentsOf({ kind, value }) {
    if (kind === 'get') return {};
    if (kind === 'put') return { value: number(value) };
    const [expected = '', wanted = ''] = value.replace(/[[\]]/g, '').split(/\s+/);
    return { expected: number(expected), value: number(wanted) };
  },
  resultOf(_invoked, { type, kind, value }) {
    if (type === 'info' || value === ':timed-out') return null;
    if (kind === 'get') return { value: number(value) };
    return kind === 'cas' ? { swapped: type === 'ok' } : {};
  },
};

/** `{:process 0, :type :ok, :f :get, :key "1", :value "x"}`: many keys, each empty text at first. */
const keyValueLog: Format = {
  recognises: /^\{:process/,
  parse(line) {
    const match =
      /^\{:process (\d+), :type :(invoke|ok|fail|info), :f :(get|put|append), :key "([^"]*)", :value (?:nil|"([^"]*)")\}$/.exec(
        line,
      );
    if (match === null) return null;
    const [, process = '', type, kind = '', key = '', value = ''] = match;
    return { process, type: type as ForeignEvent['type'], kind, key, value };
  },
  argumentsOf: ({ kind, value }) => (kind === 'get' ? {} : { value }),
  resultOf(_invoked, { type, kind, value }) {
    if (type === 'info') return null;
    // These stores answer empty text for what was never written.
    return kind === 'get' ? { value: value === '' ? null : value } : {};
  },
};

/** Reads the project's own histories, Jepsen's register logs and key-value logs. Throws for anything else. */
export function importHistory(text: string): Operation[] {
  const first = text.trimStart();
  const format = [jepsenLog, keyValueLog].find(({ recognises }) => recognises.test(first));
  return format === undefined ? readHistory(text) : importEvents(text, format);
}

function importEvents(text: string, format: Format): Operation[] {
  const open = new Map<string, { event: ForeignEvent; start: number }>();
  const operations: Operation[] = [];
  const close = (
    { event, start }: { event: ForeignEvent; start: number },
    result: Fields | null,
    end: number,
  ): void => {
    const { process: client, kind, key } = event;
    const given = { client, kind, key, arguments: format.argumentsOf(event), start };
    operations.push(result === null ? { ...given, result, end: null } : { ...given, result, end });
  };
  text.split('\n').forEach((line, at) => {
    if (line.trim() === '') return;
    const event = format.parse(line.trim());
    if (event === null) throw new Error(`line ${at + 1} is not of this format: ${line.slice(0, 120)}`);
    const invoked = open.get(event.process);
    if (event.type === 'invoke') {
      if (invoked !== undefined) throw new Error(`line ${at + 1}: process ${event.process} has not finished before`);
      open.set(event.process, { event, start: at });
      return;
    }
    if (invoked === undefined) throw new Error(`line ${at + 1}: process ${event.process} finishes nothing`);
    open.delete(event.process);
    close(invoked, format.resultOf(invoked.event, event), at);
  });
  for (const invoked of open.values()) close(invoked, null, 0);
  return operations;
}
