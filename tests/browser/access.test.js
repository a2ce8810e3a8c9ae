// The desk for everybody: no accessibility violation on a page of those who are signed in, in both themes and languages;
// nothing wider than a phone; a ballot by keyboard alone; large text.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { enter } from './newcomer.js';
import { startBrowser, startOffice } from './office.js';

const YEAR = new Date().getFullYear();
const VOTE = 'yunchuan-mayor/2026';
const COUNTY = `nanlu-county/${YEAR}`;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Who, and what they look at. */
const PAGES = [
  ['p:0001', ['/work', `/work/${VOTE}`, '/work/office/log', `/work/${COUNTY}/applications`, `/work/${COUNTY}/applications/a:001`, '/account',
    '/account/keys', '/account/people', '/work/office/log/role.granted/-', '/work/office/log/person.registered/-',
    `/work/${COUNTY}/window.extended/-`, `/work/${VOTE}/opinions`, `/work/${VOTE}/opinions/tax`, `/work/${VOTE}/visits`,
    `/work/${VOTE}/applications/a:001/visit`, '/sign-in', '/demo']],
  ['p:0021', [`/work/${VOTE}`, 'ballot']],
  ['o:0005', ['/work', `/work/${COUNTY}/application.submitted/-`, `/work/${COUNTY}/application.submitted/-?part=2`, `/work/${COUNTY}/application.submitted/-?part=4`]],
];
let browser;
let office;
before(async () => { [browser, office] = await Promise.all([startBrowser(), startOffice()]); });
after(async () => { await browser?.close(); office?.stop(); });

/** The address of the ballot that waits. */
async function address(page, prefix, path) {
  if (path !== 'ballot') return `${office.address}${prefix}${path}`;
  await page.goto(`${office.address}${prefix}/work/${VOTE}`);
  return office.address + await page.locator('a[href*="/ballot.cast/"]').first().getAttribute('href');
}

for (const [colorScheme, prefix] of [['light', '/en'], ['dark', '']]) {
  test(`the desk has no accessibility violation and fits a phone: ${colorScheme} ${prefix || '/zh'}`, { timeout: 240_000 }, async () => {
    const wrong = [];
    for (const [who, paths] of PAGES) {
      const context = await browser.newContext({ colorScheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      await enter(page, office, who, '/work', prefix);
      for (const path of paths) {
        await page.setViewportSize({ width: 1200, height: 900 });
        const response = await page.goto(await address(page, prefix, path), { waitUntil: 'load' });
        if (response.status() !== 200) wrong.push(`${who} ${path}: status ${response.status()}`);
        const found = await new AxeBuilder({ page }).withTags(TAGS).analyze();
        for (const v of found.violations) wrong.push(`${who} ${path} ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`);
        await page.setViewportSize({ width: 390, height: 800 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) wrong.push(`${who} ${path}: ${wide} px too wide for a phone`);
      }
      await context.close();
    }
    assert.deepEqual(wrong, []);
  });
}

test('a ballot by keyboard alone', { timeout: 60_000 }, async () => {
  const page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
  await enter(page, office, 'p:0022', `/work/${VOTE}`, '/en');
  const reach = async (selector) => {
    for (let n = 0; n < 80; n += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    }
    throw new Error(`${selector} cannot be reached on ${page.url()}`);
  };
  const enterKey = () => Promise.all([page.waitForNavigation({ waitUntil: 'domcontentloaded' }), page.keyboard.press('Enter')]);
  await reach('.next-step .button.primary');
  await enterKey();
  await reach('input[name=choice]');
  await page.keyboard.press('Space');
  await reach('form.act .buttons .primary');
  await enterKey();
  await reach('form:has(input[name=demo]) button');
  await enterKey();
  assert.match(page.url(), /\/records\/\d+$/);
});

test('large text makes the letters larger, on every page', { timeout: 60_000 }, async () => {
  const page = await (await browser.newContext()).newPage();
  await enter(page, office, 'p:0023', '/account', '/en');
  const size = () => page.evaluate(() => parseFloat(getComputedStyle(document.querySelector('main p')).fontSize));
  const before = await size();
  await page.check('input[name=large]');
  await page.locator('form[action$="/account/preferences"] button').click();
  await page.waitForFunction((before) => parseFloat(getComputedStyle(document.querySelector('main p')).fontSize) > before, before);
});
