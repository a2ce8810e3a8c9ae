// The portal as a newcomer meets it: every page, both languages, wide and phone, with and without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, startOffice } from './office.js';
import { PORTAL as PAGES, YEAR as year } from './pages.js';

let office;
let browser;

before(async () => {
  office = await startOffice();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  office?.stop();
});

async function open(path, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => { if (!request.url().startsWith(office.address) && !request.url().startsWith('data:')) problems.push(`request to ${request.url()}`); });
  // The hall screen keeps a connection open, so 'networkidle' would never come.
  const response = await page.goto(office.address + path, { waitUntil: 'load' });
  return { context, page, response, problems };
}

test('a browser proves by itself that the log begins with the root code of the minutes', { timeout: 60_000 }, async () => {
  const here = `/en/editions/yunchuan-mayor/${year - 1}`;
  const { context, page } = await open(`${here}/papers/minutes/s%3Acommittee`);
  const [, size, code] = (await page.locator('main').innerText()).match(/the log had (\d+) records, root code ([0-9A-Z-]{39})/);
  const said = (text) => page.waitForFunction((text) => document.getElementById('photographed-proof')?.textContent.includes(text), text);
  const address = `${office.address}${here}/check?size=${size}&root=${code}`;
  await page.goto(address);
  await said('Your browser has checked the signature');
  // A server that says so without a proof is found out: one hash of the proof is another.
  await page.route(address, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/(proof&quot;:\[&quot;)([0-9a-f]{2})/, (_, head, byte) => head + (byte === '00' ? '01' : '00'));
    await route.fulfill({ response, body });
  });
  await page.goto(address);
  await said('own check failed');
  await context.close();
});

test('pages fit a phone, name their language and are marked as a demonstration', { timeout: 120_000 }, async () => {
  const tooWide = [];
  for (const prefix of ['', '/en']) {
    for (const path of PAGES.filter((p) => !p.includes('/hall'))) {
      const address = prefix && path === '/' ? '/en' : prefix + path;
      const { context, page } = await open(address, { viewport: { width: 390, height: 800 } });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) tooWide.push(`${address} by ${wide} px`);
      assert.equal(await page.getAttribute('html', 'lang'), prefix ? 'en' : 'zh-Hans');
      assert.equal(await page.locator('h1').count(), 1, `${address} has one main heading`);
      const banner = await page.locator('.banner').innerText();
      assert.match(banner, prefix ? /invented/ : /虚构/);
      await context.close();
    }
  }
  assert.deepEqual(tooWide, []);
});

test('no message key shows, and English pages hold no Chinese of ours', { timeout: 120_000 }, async () => {
  for (const prefix of ['', '/en']) {
    for (const path of PAGES) {
      const address = prefix && path === '/' ? '/en' : prefix + path;
      const { context, page } = await open(address);
      const text = await page.locator('body').innerText();
      assert.doesNotMatch(text, /\b(web|verify|refusal|cli|common)\.[a-z_]+/, `${address} shows a message key`);
      assert.doesNotMatch(text, /\{[a-z_]+\}/, `${address} shows an unfilled place`);
      await context.close();
    }
  }
});

test('everything but the hall screen works without JavaScript', { timeout: 60_000 }, async () => {
  const { context, page } = await open('/', { javaScriptEnabled: false });
  await page.fill('input[name=number]', 'yunchuan-mayor-2025-02');
  await page.press('input[name=number]', 'Enter');
  await page.waitForURL('**/certificates/YUNCHUAN-MAYOR-2025-02');
  assert.match(await page.locator('.sentence').innerText(), /有效/);
  await page.goto(office.address + '/winners');
  await page.selectOption('select[name=year]', '2015');
  await page.click('button[type=submit]');
  await page.waitForURL('**/winners?*year=2015*');
  assert.match(await page.locator('main').innerText(), /河南省王勿桥醋业有限公司/);
  await context.close();
});

test('an objection: errors keep what was typed, then it is received with a receipt', { timeout: 60_000 }, async () => {
  const { context, page } = await open(`/en/editions/dongan-district/${year}/notices/n-notice`);
  await page.fill('textarea[name=grounds]', 'The figures of 2024 look wrong (invented).');
  await page.fill('input[name=name]', 'Yunchuan Chamber (invented)');
  await page.click('main form button[type=submit]');
  await page.waitForSelector('.error-summary');
  assert.equal(await page.inputValue('textarea[name=grounds]'), 'The figures of 2024 look wrong (invented).');
  assert.equal(await page.inputValue('input[name=name]'), 'Yunchuan Chamber (invented)');
  await page.check('input[name=by][value=unit]');
  await page.fill('input[name=identity]', '91990000MA9999999T');
  await page.fill('input[name=contact]', '000-0000-0000');
  const text = (name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from('2024: 1200 (invented)') });
  await page.setInputFiles('input[name=evidence]', [{ ...text('proof.pdf'), buffer: Buffer.from('MZ no PDF at all') }]);
  await page.click('main form button[type=submit]');
  await page.waitForSelector('#evidence-error');
  assert.equal(await page.inputValue('input[name=contact]'), '000-0000-0000');
  await page.setInputFiles('input[name=evidence]', [text('figures.txt'), text('letter.txt')]);
  await page.click('main form button[type=submit]');
  await page.waitForFunction(() => /received/i.test(document.querySelector('h1')?.textContent ?? ''));
  const receipt = await page.locator('a[href*="/receipts/"]').getAttribute('href');
  const proof = await (await fetch(office.address + receipt)).text();
  assert.match(proof, /^c2sp\.org\/tlog-proof@v1\nindex \d+\n/);
  await context.close();
});

test('the hall screen is live: a connection is open and shows who has voted, not how', { timeout: 60_000 }, async () => {
  const { context, page } = await open('/en/editions/yunchuan-mayor/2026/hall', { viewport: { width: 1024, height: 768 } });
  await page.waitForSelector('#hall[data-state=live]');
  const squares = await page.locator('.votes li').allInnerTexts();
  assert.equal(squares.length, 15);
  assert.equal(squares.filter((text) => /has voted/.test(text)).length, 9);
  const text = await page.locator('body').innerText();
  assert.doesNotMatch(text, /\b(yes|no|abstained)\b/i);
  const fits = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
  assert.ok(fits <= 0, `the screen is ${fits} px too high for 1024×768`);
  await context.close();
});

test('nothing that is sealed leaks', { timeout: 60_000 }, async () => {
  const get = (path) => fetch(office.address + path);
  assert.equal((await get('/editions/yunchuan-mayor/2026/bundle.tar')).status, 404);
  assert.equal((await get('/editions/yunchuan-mayor/2026/result.json')).status, 404);
  assert.equal((await get('/log/yunchuan-mayor/2026/tile/entries/000')).status, 404);
  assert.equal((await get('/log/yunchuan-mayor/2026/checkpoint')).status, 200);
  // Applicants of an edition that is open are counted, never named.
  const open = await (await get(`/en/editions/nanlu-county/${year}`)).text();
  assert.doesNotMatch(open, /Yunchuan \w+ \w+ Co\., Ltd/);
});

test('security headers, on errors too', async () => {
  for (const path of ['/', '/no/such/page', '/assets/nothing', '/editions/yunchuan-mayor/2025/result.json']) {
    const response = await fetch(office.address + path);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/, path);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(response.headers.get('x-frame-options'), 'DENY', path);
  }
  const cross = await fetch(`${office.address}/editions/dongan-district/${year}/notices/n-notice`, {
    method: 'POST', headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, body: new URLSearchParams({ by: 'unit' }),
  });
  assert.equal(cross.status, 403);
});

test('the bundle of the finished edition downloads', async () => {
  const response = await fetch(`${office.address}/editions/yunchuan-mayor/2025/bundle.tar`);
  assert.equal(response.status, 200);
  assert.ok((await response.arrayBuffer()).byteLength > 500_000);
});
