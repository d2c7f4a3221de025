/** Runs a command-line tool of an installed package on this very Node, without a shell in between. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A tool that prints more than this has said enough; the rest is dropped. */
const outputBytesMax = 4 * 1024 * 1024;

export interface ToolResult {
  readonly exitCode: number;
  /** Standard output and standard error as they came; empty when they were passed through. */
  readonly output: string;
}

export interface ToolOptions {
  /** The package's name where it differs from the tool's. */
  readonly package?: string;
  /** Pass output straight through instead of collecting it. */
  readonly inherit?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** The tool is ended after this long; its result then says so. */
  readonly timeoutMs?: number;
}

/** Runs `node_modules/<package>`'s program `tool`. A tool that is not installed is a failed result, not an exception. */
export function runNodeTool(tool: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const file = binaryOf(options.package ?? tool, tool);
  if (file === undefined) {
    return Promise.resolve({ exitCode: 127, output: `${tool} is not installed: run npm ci --ignore-scripts` });
  }
  return runNode([file, ...args], options);
}

/** Runs this Node with `args`, in the project's folder. */
export function runNode(args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...options.environment },
      stdio: options.inherit === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    let output = '';
    const take = (chunk: Buffer): void => {
      if (output.length < outputBytesMax) output += chunk.toString('utf8');
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', (error) => resolve({ exitCode: 127, output: error.message }));
    child.on('close', (code, signal) => {
      const note =
        signal === null ? '' : `\nended by ${signal}${options.timeoutMs === undefined ? '' : ' (time limit)'}`;
      resolve({ exitCode: code ?? 1, output: output + note });
    });
  });
}

function binaryOf(packageName: string, tool: string): string | undefined {
  const folder = join(root, 'node_modules', packageName);
  try {
    const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      bin?: string | Record<string, string>;
    };
    const path = typeof bin === 'string' ? bin : bin?.[tool];
    return path === undefined ? undefined : join(dirname(join(folder, 'package.json')), path);
  } catch {
    return undefined;
  }
}
