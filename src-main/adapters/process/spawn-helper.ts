/**
 * The small process that starts programs. Forking from a node process of some hundred megabytes takes 70 ms and stops its loop;
 * from here it takes one. Its input is a pipe from that node process: when the pipe closes, its owner is gone, and so is all it started.
 * Arguments: the prefix of this run's tree marks.
 */
import { endMarked, endTreesNow } from './process-tree.ts';
import { HelperChild } from './helper-child.ts';
import { lineReader, type HelperOrder, type HelperReport } from './spawn-messages.ts';

const markPrefix = process.argv[2] ?? '';
const children = new Map<number, HelperChild>();

function report(message: HelperReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function obey(order: HelperOrder): void {
  if (order.type === 'kill') {
    children.get(order.id)?.kill(order.graceMs);
    return;
  }
  const child = HelperChild.start(order, report, () => children.delete(order.id));
  if (child !== null) children.set(order.id, child);
}

function endAll(): void {
  endTreesNow([...children.values()].map((child) => child.tree));
  if (markPrefix !== '') endMarked(markPrefix);
  process.exit(0);
}

// Ctrl+C in a terminal is for the node process: it decides, in order, what ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', endAll);
process.on('SIGHUP', endAll);
process.stdout.on('error', endAll);
process.stdin.setEncoding('utf8');
process.stdin.on(
  'data',
  lineReader((line) => obey(JSON.parse(line) as HelperOrder)),
);
process.stdin.on('end', endAll);
process.stdin.on('error', endAll);
report({ type: 'ready' });
