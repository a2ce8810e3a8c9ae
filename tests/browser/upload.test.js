// The largest file that may be sent, through a lost line and a server that dies: it goes on from where it was.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { folder, serveOffice, startBrowser, startOffice } from './office.js';
import { COUNTY } from './pages.js';
import { Person } from './people.js';

const SIZE = 200 * 1024 * 1024;
const FILES = `/work/${COUNTY}/files`;
let browser;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

/** A file of `SIZE` bytes that begins and ends as a PDF does; its hash. */
function write(path) {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  const put = (bytes) => { hash.update(bytes); writeSync(file, bytes); };
  const [head, tail, block] = [Buffer.from('%PDF-1.7\n'), Buffer.from('\n%%EOF\n'), randomBytes(1024 * 1024)];
  put(head);
  let left = SIZE - head.length - tail.length;
  for (let n = 0; left > 0; n += 1) {
    block.writeUInt32LE(n, 0);
    const part = block.subarray(0, Math.min(left, block.length));
    put(part);
    left -= part.length;
  }
  put(tail);
  closeSync(file);
  assert.equal(statSync(path).size, SIZE);
  return hash.digest('hex');
}

/** The most memory that a process has held, in MiB. */
function memory(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1]) / 1024;
}

test('200 MB: a lost line, then a server that dies and a page that is opened again', { timeout: 180_000 }, async () => {
  const home = folder();
  const path = join(home, 'Film of the line.pdf');
  const sha = write(path);
  let office = await startOffice();
  try {
    const { page, context } = await Person.enter(browser, office, 'o:0005', FILES);
    const status = page.locator('#upload-status');
    const value = () => page.evaluate(() => document.getElementById('upload-progress').value);
    const past = (percent) => page.waitForFunction((percent) => document.getElementById('upload-progress').value >= percent, percent, { timeout: 60_000 });
    // Where each piece began that the page sent, and how many bytes it had.
    const pieces = [];
    let received = 0;
    page.on('request', (request) => { if (request.method() === 'PUT') pieces.push(Number(new URL(request.url()).searchParams.get('offset'))); });
    page.on('response', async (response) => {
      if (response.request().method() === 'PUT' && response.ok()) received = Math.max(received, (await response.json().catch(() => ({ received: 0 }))).received);
    });
    const send = async () => {
      await page.setInputFiles('#upload input[type=file]', path);
      await page.locator('#upload form button').click();
    };

    const begun = Date.now();
    await send();
    await past(15);
    assert.match(await status.innerText(), /Uploading \d+%/);
    const bar = page.getByRole('progressbar');
    assert.ok(await bar.isVisible());
    assert.ok((await bar.getAttribute('aria-label')).length > 5);

    // The line goes: the page says so, waits, and goes on from the last piece that has arrived.
    await context.setOffline(true);
    await page.waitForFunction(() => /No connection: it goes on by itself/.test(document.getElementById('upload-status').textContent), null, { timeout: 20_000 });
    const [before, sent] = [await value(), pieces.length];
    assert.ok(before >= 15, `${before}%`);
    const stood = received;
    await context.setOffline(false);
    await past(before + 5);
    const again = pieces.slice(sent).filter((at) => at >= stood);
    assert.ok(again.length > 0 && pieces.slice(sent).every((at) => at >= stood), `after the line came back it went on at ${pieces[sent]}, not at ${stood}`);
    assert.match(await status.innerText(), /Uploading \d+%/);

    // The server dies in the middle. A new page, the same file: what has arrived is not sent again.
    await past(50);
    const { port, data } = office;
    await office.kill();
    await page.goto('about:blank');
    const count = pieces.length;
    office = await serveOffice(data, { port });
    await page.goto(`${office.address}/en${FILES}`);
    const unfinished = await page.locator('main').innerText();
    assert.match(unfinished, /Film of the line\.pdf/);
    await send();
    await page.waitForFunction(() => document.getElementById('upload-progress').value >= 50, null, { timeout: 20_000 });
    const half = pieces[count];
    assert.ok(half >= SIZE / 2 - 1024 * 1024, `it went on at ${half} of ${SIZE}`);
    await page.waitForFunction(() => document.querySelector(`main table a[href*="/files/"]`), null, { timeout: 60_000 });
    const seconds = (Date.now() - begun) / 1000;

    // It is listed under its hash, comes back as it was, and was sent once but for the pieces that were cut.
    const link = await page.locator('main table a[href*="/files/"]').first().getAttribute('href');
    assert.equal(link.match(/\/files\/([0-9a-f]{64})\//)?.[1], sha);
    const cookie = (await context.cookies()).map(({ name, value: own }) => `${name}=${own}`).join('; ');
    const response = await fetch(office.address + link, { headers: { cookie } });
    const back = createHash('sha256');
    for await (const chunk of response.body) back.update(chunk);
    assert.equal(back.digest('hex'), sha);
    const least = Math.ceil(SIZE / (512 * 1024));
    assert.ok(pieces.length <= least + 10, `${pieces.length} pieces were sent, ${least} are enough`);
    const held = memory(office.process);
    console.log(`# 200 MB in ${seconds.toFixed(1)} s with two interruptions, ${pieces.length} pieces; the server held at most ${held.toFixed(0)} MiB`);
    assert.ok(held < 200, `the server held ${held} MiB`);
    assert.ok(seconds < 40, `it took ${seconds} s`);
  } finally {
    office.stop();
    rmSync(dirname(path), { recursive: true, force: true });
  }
});
