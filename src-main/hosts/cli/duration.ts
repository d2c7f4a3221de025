import { FailureError } from '../../../shared/domain/failure.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads “1h30m”, “90s”, “500ms”; a number alone counts seconds. Answers in milliseconds; throws `bad-input`. */
export function parseDuration(text: string, flag: string): number {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) {
    throw new FailureError({
      code: 'bad-input',
      message: `${flag} cannot be “${text}”`,
      hint: 'Give a duration such as 90s, 10m or 1h30m.',
    });
  }
  let totalMs = 0;
  for (const [, amount = '0', unit = 's'] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (unitMs[unit] ?? 1_000);
  }
  return Math.round(totalMs);
}
