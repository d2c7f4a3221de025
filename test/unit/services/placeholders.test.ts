import { describe, expect, it } from 'vitest';
import { expandPlaceholders, labelOf, missingPlaceholders } from '../../../src-main/services/placeholders.ts';

describe('placeholders', () => {
  it('stand for the parts of a file', () => {
    const values = { index: 4, file: 'photos/2024/cat.raw.png' };
    expect(expandPlaceholders('{file}|{name}|{stem}|{ext}|{index}', values)).toBe(
      'photos/2024/cat.raw.png|cat.raw.png|cat.raw|png|4',
    );
  });

  it('treat a leading dot as part of the name', () => {
    expect(expandPlaceholders('{stem}-{ext}', { index: 0, file: 'home/.bashrc' })).toBe('.bashrc-');
  });

  it('are replaced once: a value that looks like a placeholder stays as it is', () => {
    expect(expandPlaceholders('{line}', { index: 1, line: '{index}{file}' })).toBe('{index}{file}');
  });

  it('leave other braces alone', () => {
    expect(expandPlaceholders("awk '{print $1}' {} {{x}}", { index: 1 })).toBe("awk '{print $1}' {} {{x}}");
  });

  it('are named when a job has nothing for them', () => {
    expect(missingPlaceholders(['{file}', '{index}', '{line}'], { file: false, line: true })).toEqual(['file']);
    expect(missingPlaceholders(['{stem}.{ext}'], { file: true, line: false })).toEqual([]);
    expect(missingPlaceholders(['{line}'], { file: true, line: false })).toEqual(['line']);
  });

  it('label a task by its file, its line, or its index', () => {
    expect([labelOf({ index: 2, file: 'a' }), labelOf({ index: 2, line: 'b' }), labelOf({ index: 2 })]).toEqual([
      'a',
      'b',
      '#2',
    ]);
  });
});
