import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sendFailure } from './web-guard.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json',
};

/**
 * Serves the files of one folder and nothing outside it. A path without an ending is a place inside the app, which the
 * app's one page shows. `folder` null: the user interface was not built.
 */
export async function serveStatic(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string | null,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    sendFailure(response, 405, 'bad-input', `${request.method ?? 'this method'} is not possible here`);
    return;
  }
  const path = requestedPath(request.url ?? '/');
  const file = folder === null || path === null ? null : await findFile(folder, path);
  if (file === null) {
    const hint =
      folder === null
        ? 'The user interface is not built yet; build it with: npm run build'
        : 'Open / for the start page.';
    sendFailure(response, 404, 'not-found', `there is nothing at ${(request.url ?? '/').slice(0, 200)}`, hint);
    return;
  }
  response.writeHead(200, {
    'content-type': types[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'content-length': file.bytes,
    // Names under /assets/ hold a hash of their content, so they never change; everything else is asked for anew.
    'cache-control': path?.startsWith('/assets/') === true ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(createReadStream(file.path), response);
}

/** The path asked for, decoded; null when it is not one that a file of ours can have. */
function requestedPath(url: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '/');
  } catch {
    return null; // Not valid percent encoding.
  }
  if (/[\0\\:]/.test(path) || path.split('/').some((part) => part.startsWith('.'))) return null;
  return path;
}

async function findFile(folder: string, path: string): Promise<{ path: string; bytes: number } | null> {
  const wanted = extname(path) === '' ? 'index.html' : path;
  try {
    const root = await realpath(folder);
    // Resolved before it is compared: a link inside the folder must not lead out of it.
    const full = await realpath(join(root, wanted));
    if (!full.startsWith(root + sep)) return null;
    const info = await stat(full);
    return info.isFile() ? { path: full, bytes: info.size } : null;
  } catch {
    return null; // No such file.
  }
}
