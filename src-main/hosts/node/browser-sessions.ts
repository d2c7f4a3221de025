import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a browser stays signed in, and how long an address with a token in it can be opened. */
const sessionMs = 7 * 24 * 3_600_000;
const tokenMs = 12 * 3_600_000;
/** Unused tokens kept; the oldest goes first. */
const tokensMax = 32;

/**
 * Signs browsers in. A page is opened with a one-time token in the fragment of its address, which never reaches a server
 * by itself; the page exchanges it for a cookie that scripts cannot read. The cookie proves itself with a key of the
 * home, so that it outlives a restart of the node.
 */
export class BrowserSessions {
  readonly #key: Buffer;
  readonly #cookieName: string;
  readonly #wall: () => number;
  /** Hash of the token → when it ends. */
  readonly #tokens = new Map<string, number>();

  /** `port` is part of the cookie's name, because browsers share cookies between the ports of one machine. */
  constructor(apiToken: string, port: number, wall: () => number = Date.now) {
    this.#key = createHmac('sha256', apiToken).update('skein browser sessions 1').digest();
    this.#cookieName = `skein_${port}`;
    this.#wall = wall;
  }

  /** A new one-time token for the fragment of an address. */
  issueToken(): string {
    const token = randomBytes(32).toString('base64url');
    while (this.#tokens.size >= tokensMax) {
      const oldest = this.#tokens.keys().next();
      if (oldest.done === true) break;
      this.#tokens.delete(oldest.value);
    }
    this.#tokens.set(hashOf(token), this.#wall() + tokenMs);
    return token;
  }

  /** The `Set-Cookie` value for a token shown for the first time and in time; null for any other text. */
  exchange(token: string): string | null {
    // Looked up by hash: how long it takes says nothing about the tokens themselves.
    const hash = hashOf(token);
    const endsAt = this.#tokens.get(hash);
    this.#tokens.delete(hash);
    if (endsAt === undefined || endsAt < this.#wall()) return null;
    const body = `1.${this.#wall() + sessionMs}.${randomBytes(16).toString('base64url')}`;
    const value = `${body}.${this.#sign(body)}`;
    return `${this.#cookieName}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${sessionMs / 1_000}`;
  }

  /** Takes the cookie from the browser. */
  endingCookie(): string {
    return `${this.#cookieName}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`;
  }

  /** True where the `Cookie` header holds a session of ours that has not ended. */
  isSignedIn(cookieHeader: string | undefined): boolean {
    const value = cookieValue(cookieHeader ?? '', this.#cookieName);
    if (value === null) return false;
    const at = value.lastIndexOf('.');
    const body = value.slice(0, Math.max(at, 0));
    if (!sameText(value.slice(at + 1), this.#sign(body))) return false;
    const [version, endsAt] = body.split('.');
    return version === '1' && Number(endsAt) > this.#wall();
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url');
  }
}

/** Compares two texts in a time that does not depend on where they differ. */
export function sameText(left: string, right: string): boolean {
  return timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest());
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function cookieValue(header: string, name: string): string | null {
  for (const part of header.slice(0, 16_384).split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}
