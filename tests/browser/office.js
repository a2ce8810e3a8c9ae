// Starts the built binary with an office of its own, and a browser; ends both.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = resolve(fileURLToPath(import.meta.url), '../../..');

export const binary = process.env.HENG_BINARY ?? resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/heng');

/** Runs a command of the binary to its end. */
export function heng(...args) {
  const done = spawnSync(binary, args, { encoding: 'utf8' });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

/** An empty folder for an office. */
export function folder() {
  return mkdtempSync(join(tmpdir(), 'heng-browser-'));
}

/** The demonstration, built once for a binary and a day and then copied: building takes longer than a test. */
function demonstration(into) {
  const { mtimeMs, size } = statSync(binary);
  const name = createHash('sha256').update(`${binary} ${mtimeMs} ${size} ${new Date().toDateString()}`).digest('hex').slice(0, 16);
  const built = join(tmpdir(), `heng-demonstration-${name}`);
  if (!existsSync(built)) {
    const fresh = join(folder(), 'office');
    const { code, err } = heng('demo', '--data', fresh, '--no-serve');
    if (code !== 0) throw new Error(`the demonstration could not be built: ${err}`);
    try { renameSync(fresh, built); } catch { /* another test was quicker */ }
    rmSync(dirname(fresh), { recursive: true, force: true });
  }
  cpSync(built, into, { recursive: true });
}

/** Builds an office that is no demonstration in `place`, for a roll call or a panel; returns its keys and invitations. */
export function rehearse(place, ...what) {
  const { status, stdout, stderr } = spawnSync(join(dirname(binary), 'examples/rehearsal'), [place, ...what.map(String)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the rehearsal could not be built: ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Serves the office in `place`; `port` is for a server that comes back, `settings` the text of its settings file, `verbose`
 * makes it say all that it can say.
 */
async function serve(command, place, { port = 0, settings = '', verbose = false } = {}) {
  const words = [command, '--data', place, '--listen', `127.0.0.1:${port}`, '--lang', 'en'];
  if (settings) {
    const file = join(dirname(place), 'settings.toml');
    writeFileSync(file, settings);
    words.push('--settings', file);
  }
  const server = spawn(binary, words, { env: { ...process.env, ...(verbose && { RUST_LOG: 'trace' }) } });
  let output = '';
  const address = await new Promise((found, failed) => {
    server.stdout.on('data', (chunk) => {
      output += chunk;
      const match = output.match(/http:\/\/[\w.]+:\d+/);
      if (match) found(match[0]);
    });
    server.stderr.on('data', (chunk) => { output += chunk; });
    server.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${output}`)));
  });
  return {
    address,
    data: place,
    port: Number(new URL(address).port),
    process: server.pid,
    log: () => output,
    /** Ends the server; the data stay until `stop`. */
    async end() {
      server.removeAllListeners('exit');
      const ended = new Promise((done) => { server.on('exit', done); });
      server.kill('SIGINT');
      await ended;
    },
    /** Ends it as a power cut does; the data stay until `stop`. */
    async kill() {
      server.removeAllListeners('exit');
      const ended = new Promise((done) => { server.on('exit', done); });
      server.kill('SIGKILL');
      await ended;
    },
    stop() {
      server.removeAllListeners('exit');
      server.kill('SIGKILL');
      rmSync(dirname(place), { recursive: true, force: true });
    },
  };
}

/** A demonstration office. */
export async function startOffice(options = {}) {
  const place = join(folder(), 'office');
  demonstration(place);
  return serveDemonstration(place, options);
}

/** A demonstration that a set-up built in `place`. */
export function serveDemonstration(place, options = {}) {
  // Only `serve` takes settings; it finds by itself that the office is a demonstration.
  return serve(options.settings ? 'serve' : 'demo', place, options);
}

/** An office that is none: `place` was made by `heng init` or by a set-up. Also one that comes back after its end. */
export function serveOffice(place, options = {}) {
  return serve('serve', place, options);
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
}

/** A device with a fingerprint reader, for the passkeys of one page. */
export async function authenticator(page) {
  const device = await page.context().newCDPSession(page);
  await device.send('WebAuthn.enable');
  const { authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { device, authenticatorId };
}
