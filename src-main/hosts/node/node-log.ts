import type { Logger } from '../../ports/logger.ts';

/** What the node writes down about itself. */
export type NodeLog = Logger;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
