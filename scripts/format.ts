/** `npm run format`: rewrites every file the formatter knows, in place. */
import { runNodeTool } from './run-tool.ts';

const result = await runNodeTool('prettier', ['--write', '--log-level', 'warn', '.'], { inherit: true });
process.exitCode = result.exitCode;
