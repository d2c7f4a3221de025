import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FailureCode } from '../../../shared/domain/failure.ts';

/**
 * Nothing but our own files may run or be loaded, nobody may frame the page, and it may talk to nothing but this server.
 */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), clipboard-read=()',
};

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
}

/** Why a request is refused before anything else looks at it. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly hint: string;
}

/**
 * Accepts only requests that name this server as their host. A page of another site can make its own name
 * resolve to 127.0.0.1, but it cannot change the name that its browser then sends.
 * A request that says from which page it comes must come from one of ours.
 */
export function refuseForeign(request: IncomingMessage, port: number): Refusal | null {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
  const host = request.headers.host?.toLowerCase() ?? '';
  if (!hosts.includes(host)) {
    return {
      status: 403,
      message: `this server does not answer for the host “${host.slice(0, 100)}”`,
      hint: `Open http://127.0.0.1:${port} on this machine itself; from another one, use an SSH tunnel to the same port.`,
    };
  }
  const { origin } = request.headers;
  if (origin !== undefined && !hosts.some((name) => origin.toLowerCase() === `http://${name}`)) {
    return {
      status: 403,
      message: `pages of “${origin.slice(0, 100)}” may not use this server`,
      hint: 'Only its own pages may; scripts send the token of the home folder and no Origin.',
    };
  }
  return null;
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

export function sendFailure(
  response: ServerResponse,
  status: number,
  code: FailureCode,
  message: string,
  hint?: string,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  sendJson(response, status, { error: { code, message, ...(hint === undefined ? {} : { hint }) } });
}

/** The body as text; null when it is longer than `bytesMax` or breaks off. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > bytesMax) return null;
      parts.push(part);
    }
  } catch {
    return null; // The caller left in the middle; there is nobody to answer.
  }
  return Buffer.concat(parts).toString('utf8');
}
