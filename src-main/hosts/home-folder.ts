import { createHash } from 'node:crypto';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/** Longest path that a unix socket can be bound to everywhere: macOS takes 103 bytes, Linux 107. */
export const socketPathBytesMax = 100;

/** What a node process and the command line agree on inside a home folder. */
export const homeFiles = {
  /** Records the address of the control socket while the node runs. */
  control: 'control.json',
  /** The secret that programs on this machine show to the web server, mode 0600. */
  apiToken: 'api-token',
  /** Output of a node that was started in the background. */
  log: 'node.log',
  /** Held by the one node process that runs on this home. */
  lock: 'node.lock',
  /** The port the web server had last. */
  web: 'web.json',
} as const;

/**
 * The home folder to use: the one asked for, else `SKEIN_HOME`, else the data folder of this system.
 * XDG variables that are set are respected everywhere.
 */
export function homeFolder(
  asked: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
  userHome: string = homedir(),
): string {
  const chosen = nonEmpty(asked) ?? nonEmpty(env['SKEIN_HOME']);
  if (chosen !== undefined) return resolve(chosen);
  const xdgData = nonEmpty(env['XDG_DATA_HOME']);
  if (xdgData !== undefined) return join(xdgData, 'skein');
  if (platform === 'darwin') return join(userHome, 'Library', 'Application Support', 'skein');
  if (platform === 'win32') return join(nonEmpty(env['LOCALAPPDATA']) ?? join(userHome, 'AppData', 'Local'), 'skein');
  return join(userHome, '.local', 'share', 'skein');
}

/** Where the node of this home listens for its own user. */
export interface ControlAddress {
  /** Path of a unix socket, or name of a Windows pipe. */
  readonly path: string;
  /** The folder to make for the socket because the home's own path is too long for one; null where none is needed. */
  readonly folder: string | null;
}

/** The control socket that belongs to a home: always the same one for the same home. */
export function controlAddress(home: string, platform: NodeJS.Platform = process.platform): ControlAddress {
  const name = createHash('sha256').update(resolve(home)).digest('hex').slice(0, 16);
  if (platform === 'win32') return { path: `\\\\.\\pipe\\skein-${name}`, folder: null };
  const path = join(resolve(home), 'control.sock');
  if (Buffer.byteLength(path) <= socketPathBytesMax) return { path, folder: null };
  const folder = join(tmpdir(), `skein-${userInfo().uid}-${name}`);
  return { path: join(folder, 'control.sock'), folder };
}

const nonEmpty = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : text;
