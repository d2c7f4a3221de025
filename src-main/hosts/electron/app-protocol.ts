import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { protocol, type Session } from 'electron';
import { pageOrigin } from '../../../shared/contract/desktop.ts';

const scheme = 'app';

/** A page reaches the node process through its port alone, so it may connect to nothing at all. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
};

const headersForAll: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Must run before the app is ready: later the scheme would be an opaque one without an origin. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves `folder` as `app://skein/` in this session, and nothing outside it. */
export function serveApp(session: Session, folder: string): void {
  session.protocol.handle(scheme, (request) => answer(request.method, request.url, folder));
}

/** The file behind an `app://skein/…` address, or the refusal. Exported for tests of its path checks. */
export async function answer(method: string, address: string, folder: string): Promise<Response> {
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET and HEAD are answered');
  const path = pathOf(address);
  if (path === null) return refuse(400, 'this is no address of the app');
  const type = contentTypes[extname(path)];
  if (type === undefined) return refuse(404, 'there is no such page');
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, path));
    // A link inside the folder must not lead out of it either.
    if (!file.startsWith(root + sep)) return refuse(404, 'there is no such page');
    const content = await readFile(file);
    return new Response(method === 'HEAD' ? null : content, {
      status: 200,
      headers: { ...headersForAll, 'content-type': type },
    });
  } catch {
    return refuse(404, 'there is no such page');
  }
}

/** The relative path an address names; null for any other origin and for paths that could climb or hide. */
function pathOf(address: string): string | null {
  if (!address.startsWith(`${pageOrigin}/`)) return null;
  const raw = address.slice(pageOrigin.length + 1).split(/[?#]/, 1)[0] ?? '';
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return null;
  }
  if (path === '') return 'index.html';
  const parts = path.split('/');
  const isPlain = parts.every((part) => /^[\w][\w.@-]*$/.test(part) && !part.includes('..'));
  return isPlain ? parts.join(sep) : null;
}

function refuse(status: number, message: string): Response {
  return new Response(message, { status, headers: { ...headersForAll, 'content-type': 'text/plain; charset=utf-8' } });
}
