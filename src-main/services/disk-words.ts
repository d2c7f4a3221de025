/** “512 B”, “2.0 KiB”, “13.4 MiB”. */
export function bytesText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (bytes < 1_024) return `${String(bytes)} B`;
  let value = bytes / 1_024;
  let place = 0;
  while (value >= 1_024 && place < units.length - 1) {
    value /= 1_024;
    place += 1;
  }
  return `${value.toFixed(1)} ${units[place] ?? ''}`;
}

/** The time of day on this machine, as “14:05”. */
export function clockText(wall: number): string {
  const at = new Date(wall);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}
