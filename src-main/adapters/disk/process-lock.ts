import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fail, ok, type Result } from '../../../shared/domain/failure.ts';

export interface ProcessLock {
  /** Idempotent. The system also releases the lock when the process ends, however it ends. */
  release(): void;
}

function holderOf(path: string): string {
  try {
    return `process ${readFileSync(path, 'utf8').trim()}`;
  } catch {
    // The holder may not have written its name yet; that it holds the lock is certain all the same.
    return 'another process';
  }
}

/**
 * Holds `path` for this process alone. It is SQLite's file lock that excludes, because that is the one lock the
 * runtime offers on every system that dies with its owner: no stale file to judge after a crash.
 * Fails with `already-exists` (who holds it) or `disk-failed`.
 */
export function lockFile(path: string): Result<ProcessLock> {
  const holderPath = `${path}.holder`;
  let database: DatabaseSync | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(holderPath, `${String(process.pid)}\n`, { mode: 0o600 });
  } catch (error) {
    database?.close();
    const reason = error instanceof Error ? error.message : String(error);
    if (/not a database/i.test(reason)) {
      return fail(
        'disk-failed',
        `the lock ${path} is damaged`,
        'it holds nothing but the lock: make sure that no other node uses this folder, delete the file, and start again',
      );
    }
    if (!/locked|busy/i.test(reason)) {
      return fail('disk-failed', `cannot lock ${path}: ${reason}`, 'check the permissions of this folder');
    }
    return fail(
      'already-exists',
      `${dirname(path)} is in use by ${holderOf(holderPath)}`,
      'stop that process, or choose another state folder',
    );
  }
  let held: DatabaseSync | null = database;
  return ok({
    release: () => {
      held?.close();
      held = null;
    },
  });
}
