export const places = ['overview', 'tasks', 'peers', 'locks', 'values', 'consensus', 'settings'] as const;
export type Place = (typeof places)[number];

export interface Route {
  readonly place: Place;
  /** What is open in the place: a job's number, a machine's id, a lock's name, or `new`. */
  readonly item: string | null;
  readonly filters: Readonly<Record<string, string>>;
}

/** `#/tasks/81?state=failed`. Whatever cannot be read leads to the overview. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [first = '', ...rest] = path.split('/');
  const place = places.find((candidate) => candidate === first) ?? 'overview';
  const item = rest.length === 0 || rest[0] === '' ? null : decode(rest.join('/'));
  return { place, item, filters: Object.fromEntries(new URLSearchParams(query)) };
}

export function formatRoute(route: Route): string {
  const item = route.item === null ? '' : `/${encodeURIComponent(route.item)}`;
  const query = new URLSearchParams(route.filters).toString();
  return `#/${route.place}${item}${query === '' ? '' : `?${query}`}`;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Where the window is. The address bar holds it, so Back works and a view can be shared. */
export class Router {
  route = $state.raw<Route>({ place: 'overview', item: null, filters: {} });
  readonly #page: Window;
  readonly #read = (): void => {
    this.route = parseRoute(this.#page.location.hash);
  };

  constructor(page: Window) {
    this.#page = page;
  }

  start(): void {
    this.#read();
    this.#page.addEventListener('hashchange', this.#read);
  }

  stop(): void {
    this.#page.removeEventListener('hashchange', this.#read);
  }

  go(place: Place, item: string | null = null, filters: Readonly<Record<string, string>> = {}): void {
    this.#page.location.hash = formatRoute({ place, item, filters });
    this.#read();
  }

  /** Changes a filter without a new step in the history: typing must not fill it. */
  filter(name: string, value: string): void {
    const { [name]: _before, ...others } = this.route.filters;
    const filters = value === '' ? others : { ...others, [name]: value };
    this.#page.history.replaceState(null, '', formatRoute({ ...this.route, filters }));
    this.#read();
  }
}
