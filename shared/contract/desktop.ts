import { fail, ok, type Result } from '../domain/failure.ts';

/**
 * What the page may ask of the desktop around it, besides a port to the node process. Every verb is named here and
 * nothing else passes; the checks are written by hand because the preload script, which shares them, stays small.
 */

/** The one channel between the preload script and the main process. */
export const desktopChannel = 'skein-desktop';
/** The message that carries a port to the node process, from the main process to the preload and on to the page. */
export const portMessage = 'skein-port';
/** Where the window's pages live: a scheme of the app's own, so that no file of the disk is ever a page. */
export const pageOrigin = 'app://skein';

/** Longest texts of a notification, in characters. */
const titleCharsMax = 120;
const bodyCharsMax = 400;

export const pickKinds = ['files', 'folder'] as const;
export type PickKind = (typeof pickKinds)[number];

export type DesktopRequest =
  | { readonly verb: 'request-port' }
  | { readonly verb: 'pick-files'; readonly kind: PickKind }
  | { readonly verb: 'notify'; readonly title: string; readonly body: string };

/** What the preload script lends the page, and all of it. */
export interface DesktopBridge {
  readonly platform: string;
  /** Asks for a port; it arrives as a window message named `skein-port`. */
  requestPort(): void;
  /** Lets the person choose; answers with absolute paths, none when the person changed their mind. */
  pickFiles(kind: PickKind): Promise<readonly string[]>;
  /** Where dropped or chosen files lie on this machine; empty for what is no file of its disk. */
  pathsOf(files: readonly unknown[]): readonly string[];
  /** Shows a notification of the system while the window is not in front. */
  notify(title: string, body: string): Promise<boolean>;
}

/** Reads a request that came from a page; whatever is not exactly one of the verbs is `bad-input`. */
export function parseDesktopRequest(input: unknown): Result<DesktopRequest> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return refuse('a request is an object');
  const fields = new Map<string, unknown>(Object.entries(input));
  const verb = fields.get('verb');
  if (verb === 'request-port') return fields.size === 1 ? ok({ verb }) : refuse('request-port has no fields');
  if (verb === 'pick-files') return parsePick(fields);
  if (verb === 'notify') return parseNotify(fields);
  return refuse('the verb is not known');
}

function parsePick(fields: ReadonlyMap<string, unknown>): Result<DesktopRequest> {
  const kind = pickKinds.find((known) => known === fields.get('kind'));
  return kind !== undefined && fields.size === 2
    ? ok({ verb: 'pick-files', kind })
    : refuse(`pick-files takes a kind: ${pickKinds.join(' or ')}`);
}

function parseNotify(fields: ReadonlyMap<string, unknown>): Result<DesktopRequest> {
  const title = fields.get('title');
  const body = fields.get('body');
  if (typeof title !== 'string' || typeof body !== 'string' || fields.size !== 3)
    return refuse('notify takes a title and a body');
  if (title.length === 0 || title.length > titleCharsMax)
    return refuse(`a title has 1 to ${String(titleCharsMax)} characters`);
  if (body.length > bodyCharsMax) return refuse(`a body has at most ${String(bodyCharsMax)} characters`);
  return ok({ verb: 'notify', title, body });
}

const refuse = (why: string) => fail('bad-input', `the window asked for something the desktop does not offer: ${why}`);
