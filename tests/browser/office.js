// Starts the built binary with a fresh demonstration office and a browser; ends both.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = resolve(fileURLToPath(import.meta.url), '../../..');

export async function startOffice() {
  const folder = mkdtempSync(join(tmpdir(), 'heng-browser-'));
  const binary = process.env.HENG_BINARY ?? join(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/heng');
  const server = spawn(binary, ['demo', '--data', join(folder, 'office'), '--listen', '127.0.0.1:0', '--lang', 'en']);
  let output = '';
  const address = await new Promise((found, failed) => {
    const read = (chunk) => {
      output += chunk;
      const match = output.match(/http:\/\/[\w.]+:\d+/);
      if (match) found(match[0]);
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${output}`)));
  });
  return {
    address,
    stop() {
      server.removeAllListeners('exit');
      server.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
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
