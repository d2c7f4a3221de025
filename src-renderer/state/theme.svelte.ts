export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
export const densities = ['comfortable', 'compact'] as const;
export type Density = (typeof densities)[number];

interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Appearance, kept in this browser only. `system` follows the operating system live, by style sheet alone. */
export class Appearance {
  theme = $state<Theme>('system');
  density = $state<Density>('comfortable');
  readonly #root: { dataset: DOMStringMap };
  readonly #store: Store | null;

  constructor(root: { dataset: DOMStringMap }, store: Store | null) {
    this.#root = root;
    this.#store = store;
    this.theme = themes.find((theme) => theme === store?.getItem('skein.theme')) ?? 'system';
    this.density = densities.find((density) => density === store?.getItem('skein.density')) ?? 'comfortable';
    this.#apply();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#store?.setItem('skein.theme', theme);
    this.#apply();
  }

  setDensity(density: Density): void {
    this.density = density;
    this.#store?.setItem('skein.density', density);
    this.#apply();
  }

  #apply(): void {
    if (this.theme === 'system') delete this.#root.dataset['theme'];
    else this.#root.dataset['theme'] = this.theme;
    this.#root.dataset['density'] = this.density;
  }
}
