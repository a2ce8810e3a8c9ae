// The pictures of docs/guide: each role at work, in a demonstration. With GUIDES=1 they are rewritten; otherwise they are taken
// into a temporary folder, so that no guide shows a page that Heng no longer has.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enter, fill, fillParts, follow, press } from './newcomer.js';
import { startBrowser, startOffice } from './office.js';

const YEAR = new Date().getFullYear();
const VOTE = 'yunchuan-mayor/2026';
const COUNTY = `nanlu-county/${YEAR}`;
const guide = resolve(fileURLToPath(import.meta.url), '../../../docs/guide');
const rewrite = process.env.GUIDES === '1';
const into = rewrite ? join(guide, 'pictures') : mkdtempSync(join(tmpdir(), 'heng-guides-'));
const WIDE = { width: 1000, height: 700 };
/** Where a form begins that stands beside or below a dossier. */
const FORM = 'form.act';
const PHONE = { width: 390, height: 760 };
const FEWER = `
import sys
from PIL import Image
for file in sys.argv[1:]:
    Image.open(file).convert('RGB').quantize(200, dither=Image.Dither.NONE).save(file, optimize=True)
`;
let browser;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); if (!rewrite) rmSync(into, { recursive: true, force: true }); });

/** An office and a page in it; `picture` takes what the page shows. */
async function meeting(work) {
  const office = await startOffice();
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce', colorScheme: 'light' });
  const page = await context.newPage();
  const picture = async (name, { path, at, size = WIDE } = {}) => {
    await page.setViewportSize(size);
    if (path) await page.goto(office.address + path, { waitUntil: 'load' });
    await page.evaluate(async (at) => {
      await document.fonts.ready;
      let seen = at && document.querySelector(at);
      if (at && !seen) throw new Error(`${at} is not on this page`);
      // A heading with the line above it.
      if (seen?.matches('h1')) seen = seen.previousElementSibling ?? seen;
      window.scrollTo(0, seen ? seen.getBoundingClientRect().top + window.scrollY - 24 : 0);
    }, at);
    await page.screenshot({ path: join(into, `${name}.png`) });
    await page.setViewportSize(WIDE);
  };
  /** Follows the next steps until this kind of act waits; the address of its form. */
  const until = async (place, kind) => {
    await follow(page, office, place, { clicks: 0, until: (next) => next.kind === kind });
    await page.goto(`${office.address}/work/${place}`);
    return page.locator('.next-step a.button.primary').first().getAttribute('href');
  };
  try {
    await work({ office, page, picture, until });
  } finally {
    await context.close();
    office.stop();
  }
}

/** The county's edition: applicant, recommender, office, experts. */
async function county({ office, page, picture, until }) {
  await picture('sign-in', { path: '/sign-in' });
  await enter(page, office, 'o:0005', '/work');
  const form = await page.locator('.next-step a.button.primary').getAttribute('href');
  await picture('applicant-tasks', { path: form });
  await picture('applicant-tasks-en', { path: `/en${form}` });
  await page.goto(office.address + form);
  await fillParts(page, 1, async (part) => {
    if (part === 0) {
      await page.fill('input[name=contact_name]', '林示例');
      await page.fill('input[name=contact_phone]', '000-0000-0000');
    } else if (part === 1) {
      await page.locator('form.act textarea').first().fill('本单位生产储能设备（虚构内容，仅供演示）。');
    } else if (part === 2) {
      const lines = (await page.inputValue('textarea[name=figures]')).split('\n').map((line) => line.split('\t')[0]);
      await page.fill('textarea[name=figures]', lines.map((year, n) => `${year}\t${252 + 21 * n}000000.00\t${18 + n}000000.00\t${10 + n}000000.00\t${426 + 12 * n}`).join('\n'));
    } else if (part === 3) {
      await page.locator('form.act textarea').first().fill('高层领导每月到现场听取员工意见，三年间改进建议增加一倍（虚构内容，仅供演示）。');
      await page.getByText('已保存').first().waitFor({ timeout: 5000 });
      await picture('applicant-part', { at: 'h1' });
    }
  });
  await picture('applicant-check', { at: 'h1' });
  // An application has no signature: it is recorded as it is sent.
  await press(page, page.locator('form:has(input[name=_version]) .buttons button[value=send]'));
  await picture('receipt', { at: 'h1' });

  await picture('recommender-opinion', { path: await until(COUNTY, 'recommendation.given'), at: FORM });
  await picture('office-condition', { path: await until(COUNTY, 'condition.checked'), at: FORM });
  await picture('expert-pledge', { path: await until(COUNTY, 'pledge.given') });
  const sheet = await until(COUNTY, 'score.submitted');
  await picture('expert-scorebook', { path: sheet, at: FORM });
  await picture('expert-scorebook-en', { path: `/en${sheet}`, at: FORM });
  await picture('expert-consensus', { path: await until(COUNTY, 'consensus.agreed'), at: 'h1' });
  await enter(page, office, 'p:0001', `/work/${COUNTY}`);
  await picture('office-board', { path: `/work/${COUNTY}/board`, at: 'h1' });
}

/** The committee's vote: newcomer, member, chair, supervisor. */
async function vote({ office, page, picture, until }) {
  await picture('newcomer-enter', { path: '/demo' });
  await enter(page, office, 'p:0001', `/work/${VOTE}`);
  await picture('newcomer-next');
  await enter(page, office, 'p:0021', `/work/${VOTE}`);
  const ballot = await page.locator('.next-step a.button.primary').getAttribute('href');
  await picture('committee-ballot', { path: ballot, at: 'h1', size: PHONE });
  await picture('committee-ballot-en', { path: `/en${ballot}`, at: 'h1', size: PHONE });
  await page.goto(office.address + ballot);
  await fill(page);
  await press(page, page.locator('form.act .buttons .primary'));
  await picture('sign', { at: 'h1' });
  await press(page, page.locator('form:has(input[name=demo]) button'));
  await until(VOTE, 'motion.closed');
  await picture('chair-close');
  await until(VOTE, 'motion.frozen');
  await picture('committee-readback', { path: `/editions/${VOTE}/hall` });
  await enter(page, office, 'p:0021', `/work/${VOTE}`);
  await picture('committee-dispute', { path: await page.locator('a[href*="/motion.disputed/"]').first().getAttribute('href') });
  await enter(page, office, 'p:0003', `/work/${VOTE}`);
  await picture('supervisor-board', { path: `/work/${VOTE}/board`, at: 'h1' });
}

test('every picture of the guides is still there to be taken', { timeout: 120_000 }, async () => {
  mkdirSync(into, { recursive: true });
  await Promise.all([meeting(county), meeting(vote)]);
  const taken = readdirSync(into);
  // Fewer colours make a smaller file, where Pillow is there to choose them.
  if (rewrite) spawnSync('python3', ['-c', FEWER, ...taken.map((name) => join(into, name))]);
  const shown = new Set();
  for (const name of readdirSync(guide).filter((name) => name.endsWith('.md'))) {
    for (const [, picture] of readFileSync(join(guide, name), 'utf8').matchAll(/\]\(pictures\/([\w-]+\.png)\)/g)) shown.add(picture);
  }
  assert.deepEqual(taken.sort(), [...shown].sort());
  let all = 0;
  for (const picture of shown) {
    assert.ok(statSync(join(into, picture)).size > 2000, `${picture} is empty`);
    const { size } = statSync(join(guide, 'pictures', picture));
    assert.ok(size < 120_000, `${picture} has ${size} bytes`);
    all += size;
  }
  assert.ok(all < 2_000_000, `the pictures have ${all} bytes`);
});
