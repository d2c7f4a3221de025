import { type Failure } from '../../../shared/domain/failure.ts';

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The system's short word for an error (`ENOSPC`), or an empty text. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return '';
}

/** Whether the system refused for want of space, or of a quota of it. */
export const isFull = (error: unknown): boolean => fullCodes.has(errorCode(error));

/** Says what the disk refused, about which file: `disk-full`, `not-found`, or else `disk-failed`. */
export function diskFailure(error: unknown, doing: string, path: string): Failure {
  const code = errorCode(error);
  const reason = error instanceof Error ? error.message : String(error);
  if (fullCodes.has(code)) {
    return {
      code: 'disk-full',
      message: `no space left while ${doing} ${path} (${code})`,
      hint: 'free some space on this disk, then start again',
    };
  }
  if (code === 'ENOENT') return { code: 'not-found', message: `${path} does not exist (while ${doing})` };
  return {
    code: 'disk-failed',
    message: `the disk failed while ${doing} ${path}: ${reason}`,
    hint: 'check the disk and the permissions of this folder',
  };
}
