import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { note } from '../measure.ts';

/** Outside the app's own packages: nobody who builds or runs the app needs them. */
const folder = fileURLToPath(new URL('../../../.cache/bench-clients', import.meta.url));

/** The rivals' public clients for Node. */
const versions = {
  etcd3: '1.1.2',
  '@nats-io/transport-node': '3.4.0',
  '@nats-io/jetstream': '3.4.0',
  'node-zookeeper-client': '1.1.3',
} as const;

export type ClientPackage = keyof typeof versions;

export const clientName = (name: ClientPackage): string => `npm ${name} ${versions[name]}`;

/** Installs the clients from the configured registry unless they are there. Throws with what to do when that fails. */
export async function installClients(): Promise<void> {
  const manifest = JSON.stringify({ private: true, dependencies: versions });
  const stamp = join(folder, 'installed.json');
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === manifest) return;
  note('bench: installing the rivals’ clients');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), manifest);
  const result = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 180_000,
  });
  if (result.status !== 0)
    throw new Error(`the rivals’ clients could not be installed in ${folder}: ${(result.stderr ?? '').slice(0, 400)}`);
  await writeFile(stamp, manifest);
}

/** Loads a client. The caller names the few members it uses. */
export function loadClient<Shape>(name: string): Shape {
  return createRequire(join(folder, 'package.json'))(name) as Shape;
}
