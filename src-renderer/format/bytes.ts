const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size in IEC units: `512 B`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits).replace('.0', '')} ${units[unit] ?? 'B'}`;
}

/** A count with thousands separated and its noun in the right number: `1,204 tasks`, `1 task`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en');
}
