import type { TaskItem } from '../../shared/domain/task.ts';

/** What the placeholders of one task stand for. */
export interface PlaceholderValues {
  readonly index: number;
  readonly file?: string | undefined;
  readonly line?: string | undefined;
}

/** `ext` is without its dot; `stem` is the last part of the path without `ext`. */
export const placeholderNames = ['file', 'name', 'stem', 'ext', 'index', 'line'] as const;
type PlaceholderName = (typeof placeholderNames)[number];

const placeholder = /\{(file|name|stem|ext|index|line)\}/g;

/**
 * Replaces placeholders in one pass, so that a file whose name holds `{line}` is left as it is.
 * Other braces, as in `awk '{print $1}'`, are kept. A placeholder without a value stays as typed.
 */
export function expandPlaceholders(template: string, values: PlaceholderValues): string {
  return template.replace(placeholder, (whole, name: PlaceholderName) => valueOf(name, values) ?? whole);
}

/** Placeholders in `templates` that tasks of this kind have no value for: their use is a mistake of the person. */
export function missingPlaceholders(
  templates: readonly string[],
  has: { readonly file: boolean; readonly line: boolean },
): readonly PlaceholderName[] {
  const used = new Set<PlaceholderName>();
  for (const template of templates) {
    for (const match of template.matchAll(placeholder)) used.add(match[1] as PlaceholderName);
  }
  return placeholderNames.filter((name) => {
    if (!used.has(name) || name === 'index') return false;
    return name === 'line' ? !has.line : !has.file;
  });
}

/** What a task is about, for people: its file, its line, or its index. */
export function labelOf(item: Pick<TaskItem, 'file' | 'line' | 'index'>): string {
  return item.file ?? item.line ?? `#${item.index}`;
}

function valueOf(name: PlaceholderName, values: PlaceholderValues): string | undefined {
  switch (name) {
    case 'index':
      return String(values.index);
    case 'line':
      return values.line;
    case 'file':
      return values.file;
    case 'name':
      return values.file === undefined ? undefined : nameParts(values.file).name;
    case 'stem':
      return values.file === undefined ? undefined : nameParts(values.file).stem;
    case 'ext':
      return values.file === undefined ? undefined : nameParts(values.file).ext;
  }
}

/** A leading dot begins a hidden file's name, not an extension. */
function nameParts(path: string): { name: string; stem: string; ext: string } {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return { name, stem: name, ext: '' };
  return { name, stem: name.slice(0, dot), ext: name.slice(dot + 1) };
}
