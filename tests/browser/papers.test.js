// What the browser prints of official papers: pages, embedded fonts, the text. Poppler reads the PDF back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import { folder, startBrowser, startOffice } from './office.js';

let office;
let browser;
const place = folder();

before(async () => {
  office = await startOffice();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  office?.stop();
  rmSync(place, { recursive: true, force: true });
});

async function papers(prefix) {
  const answer = await fetch(`${office.address}/api/v1/editions/yunchuan-mayor/2025/papers?limit=200`, {
    headers: { 'accept-language': prefix ? 'en' : 'zh' },
  });
  const { items } = await answer.json();
  return (kind) => {
    const { paper, case: about } = items.find((item) => item.paper === kind);
    return `${prefix}/editions/yunchuan-mayor/2025/papers/${paper}/${encodeURIComponent(about)}`;
  };
}

/** Prints a page as the browser does, and reads it back. */
async function print(path) {
  const page = await browser.newPage();
  await page.goto(office.address + path, { waitUntil: 'networkidle' });
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: false });
  await page.close();
  const file = join(place, `${path.replace(/\W+/g, '-')}.pdf`);
  writeFileSync(file, pdf);
  const run = (program, ...more) => execFileSync(program, [...more, file], { encoding: 'utf8' });
  const info = run('pdfinfo');
  const fonts = run('pdffonts').split('\n').slice(2).filter(Boolean);
  const text = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });
  return { pages: Number(/Pages:\s+(\d+)/.exec(info)[1]), size: /Page size:.*/.exec(info)[0], fonts, sheets: text.split('\f').slice(0, -1), text };
}

/** The columns of pdffonts before the last two are type, encoding, emb, sub, uni. */
function embedded(fonts) {
  return fonts.map((line) => line.trim().split(/\s+/).slice(-5)[0]);
}

test('the minutes print on A4 with running head, page numbers, votes by name and lines to sign on', { timeout: 120_000 }, async () => {
  for (const [prefix, words] of [
    ['', ['会议记录', '应到', '法定人数', '同意（', '主任委员', '监督员', 'SHA-256']],
    ['/en', ['minutes of the committee', 'On the roll', 'The quorum was met', 'Yes (', 'Supervisor', 'SHA-256']],
  ]) {
    const minutes = (await papers(prefix))('minutes');
    const { pages, size, fonts, sheets, text } = await print(minutes);
    assert.ok(pages >= 3 && pages <= 6, `${minutes} has ${pages} pages`);
    assert.match(size, /595.*842.*A4|A4/);
    assert.equal(sheets.length, pages);
    sheets.forEach((sheet, index) => {
      assert.match(sheet, new RegExp(`${index + 1}\\s*/\\s*${pages}`), `page ${index + 1} has its number`);
      assert.match(sheet, prefix ? /root code/ : /根码/, `page ${index + 1} has its running head`);
    });
    const flat = text.replace(/\s+/g, prefix ? ' ' : '');
    for (const word of words) assert.ok(flat.includes(prefix ? word : word.replace(/\s+/g, '')), `${minutes}: ${word}`);
    assert.ok(fonts.length > 0 && embedded(fonts).every((word) => word === 'yes'), fonts.join('\n'));
  }
});

test('a certificate prints on one page with its number, its holder and the address where it is checked', { timeout: 60_000 }, async () => {
  for (const prefix of ['', '/en']) {
    const path = (await papers(prefix))('certificate');
    const number = decodeURIComponent(path.split('/').at(-1));
    const { pages, fonts, text } = await print(path);
    assert.equal(pages, 1, path);
    assert.ok(text.includes(number), path);
    assert.ok(text.replace(/\s+/g, '').includes(`/certificates/${number}`), text);
    assert.ok(embedded(fonts).every((word) => word === 'yes'), fonts.join('\n'));
  }
});

test('papers are accessible in both themes and fit a phone', { timeout: 300_000 }, async () => {
  const wrong = [];
  for (const [prefix, colorScheme] of [['', 'light'], ['/en', 'dark']]) {
    const of = await papers(prefix);
    const context = await browser.newContext({ viewport: { width: 390, height: 800 }, reducedMotion: 'reduce', colorScheme });
    await context.request.post(`${office.address}/demo/enter`, { form: { subject: 'p:0001' }, headers: { origin: office.address } });
    const inside = ['', '/pack/-', '/summary/-', '/feedback/a:001', '/receipt/a:001', '/eligibility/a:001'];
    for (const path of [
      `${prefix}/editions/yunchuan-mayor/2025/papers`,
      ...['call', 'report', 'minutes', 'notice', 'decision', 'certificate', 'prizes'].map(of),
      ...inside.map((rest) => `${prefix}/work/yunchuan-mayor/2025/papers${rest}`),
    ]) {
      const page = await context.newPage();
      const answer = await page.goto(office.address + path);
      assert.equal(answer.status(), 200, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wide > 0) wrong.push(`${path} is ${wide} px too wide`);
      await page.evaluate(axe.source);
      const found = await page.evaluate((runOnly) => window.axe.run({ runOnly }), ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']);
      for (const v of found.violations) wrong.push(`${path} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
      await page.close();
    }
    await context.close();
  }
  assert.deepEqual(wrong, []);
});
