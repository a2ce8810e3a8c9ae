// Everybody can use every page: no accessibility violation in both themes and every script, nothing wider than a phone, also in
// large text, nothing that moves where motion is not wanted. The list of pages is that of the route table.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import { enter, follow } from './newcomer.js';
import { startBrowser, startOffice } from './office.js';
import { atConsensus, atDraw, atFirst, atPledge, atScoring, COUNTY, routeOf, routes, VOTE } from './pages.js';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What a theme can spoil. */
const COLOURS = ['color-contrast', 'link-in-text-block'];
/** Mail and sign-in that lead nowhere: the pages that say so are looked at too. */
const SETTINGS = `delay_seconds = 1
[mail]
host = "127.0.0.1"
port = 9
security = "none"
from = "award@example.cn"
[oidc]
issuer = "http://127.0.0.1:9"
client_id = "heng"
`;
let browser;
let office;
before(async () => { [browser, office] = await Promise.all([startBrowser(), startOffice({ settings: SETTINGS })]); });
after(async () => { await browser?.close(); office?.stop(); });

/** The longest transition or animation of the page in seconds, also of those that only begin when somebody points at something. Runs in the page. */
function motion() {
  const seconds = (list) => Math.max(...list.split(',').map((one) => parseFloat(one) * (one.trim().endsWith('ms') ? 0.001 : 1)));
  let most = document.getAnimations().some((one) => one.playState === 'running') ? Infinity : 0;
  for (const element of document.querySelectorAll('*')) {
    for (const part of [null, '::before', '::after']) {
      const style = getComputedStyle(element, part);
      most = Math.max(most, seconds(style.transitionDuration), style.animationName === 'none' ? 0 : seconds(style.animationDuration));
    }
  }
  return most;
}

/** How much wider than a phone the page is, in normal and in large text. Runs in the page. */
function excess() {
  const wide = () => document.documentElement.scrollWidth - window.innerWidth;
  const kept = document.documentElement.className;
  const normal = wide();
  document.documentElement.classList.add('large-text');
  const large = wide();
  document.documentElement.className = kept;
  return Math.max(normal, large);
}

/** What is wrong with the page that is open. */
async function flaws(page) {
  const wrong = [];
  const run = (runOnly) => page.evaluate((runOnly) => window.axe.run({ runOnly, resultTypes: ['violations'] }), runOnly);
  const add = ({ violations }, theme) => {
    for (const v of violations) wrong.push(`${theme} ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`);
  };
  await page.evaluate(axe.source);
  await page.setViewportSize({ width: 1200, height: 900 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  add(await run(TAGS), 'light');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  add(await run(COLOURS), 'dark');
  const longest = await page.evaluate(motion);
  if (longest > 0.01) wrong.push(`something moves for ${longest} s`);
  // The hall screen is for a wall.
  if (/\/hall$/.test(page.url())) return wrong;
  await page.setViewportSize({ width: 390, height: 800 });
  const wide = await page.evaluate(excess);
  if (wide > 0) wrong.push(`${wide} px too wide for a phone`);
  return wrong;
}

const seen = new Set();

/** Goes through pages as those who look at them; returns what is wrong. */
async function tour(visits, prefix) {
  const guests = new Map();
  const wrong = [];
  for (const { who, path, status, go } of visits) {
    if (!guests.has(who)) {
      const context = await browser.newContext({ reducedMotion: 'reduce' });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      if (who) await enter(page, office, who, '/work', prefix);
      guests.set(who, page);
    }
    const page = guests.get(who);
    const problems = [];
    const hear = (message) => { if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text())) problems.push(message.text()); };
    let answer = null;
    const answered = (response) => { if (response.frame() === page.mainFrame() && response.request().isNavigationRequest()) answer = response.status(); };
    page.on('console', hear);
    page.on('response', answered);
    await page.goto(`${office.address}${prefix && path === '/' ? prefix : prefix + path}`, { waitUntil: 'load' });
    if (go) await go(page);
    if (answer !== status) problems.push(`status ${answer}, not ${status}`);
    else seen.add(routeOf(page.url()));
    problems.push(...await flaws(page));
    page.off('console', hear);
    page.off('response', answered);
    wrong.push(...problems.map((text) => `${who ?? 'nobody'} ${path}${go ? ' …' : ''}: ${text}`));
  }
  for (const page of guests.values()) await page.context().close();
  return wrong;
}

/** In every language and script. */
async function everywhere(visits) {
  const wrong = [];
  for (const prefix of ['/en', '', '/hant']) wrong.push(...await tour(visits, prefix));
  assert.deepEqual(wrong, []);
}

/** Leads the county's edition on; who is to act then. */
async function until(kind) {
  const page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
  const { who } = await follow(page, office, COUNTY, { prefix: '/en', clicks: 0, until: (next) => next.kind === kind });
  await page.context().close();
  return who;
}

test('the portal, the account and the desk, while applications come in and a committee votes', { timeout: 600_000 }, async () => {
  await everywhere(await atFirst(browser, office));
});

test('the draw of the experts', { timeout: 90_000 }, async () => {
  await until('draw.revealed');
  await everywhere(atDraw());
});

test('the pledge, the dossier and the scorebook', { timeout: 180_000 }, async () => {
  await everywhere(atPledge(await until('pledge.given')));
  await everywhere(atScoring(await until('score.submitted')));
});

test('the consensus', { timeout: 180_000 }, async () => {
  await everywhere(atConsensus(await until('consensus.agreed')));
});

test('there is no page that was not looked at', () => {
  assert.ok(routes().length > 25, `${routes().length} pages found in the table`);
  assert.deepEqual(routes().filter((path) => !seen.has(path)), []);
});

test('where motion is wanted there is some, so its absence says something', { timeout: 60_000 }, async () => {
  const page = await (await browser.newContext({ reducedMotion: 'no-preference' })).newPage();
  await enter(page, office, 'p:0001', '/work', '/en');
  assert.ok(await page.evaluate(motion) > 0.1);
});

test('large text makes the letters larger, on every page', { timeout: 60_000 }, async () => {
  const page = await (await browser.newContext()).newPage();
  await enter(page, office, 'p:0023', '/account', '/en');
  const size = () => page.evaluate(() => parseFloat(getComputedStyle(document.querySelector('main p')).fontSize));
  const before = await size();
  await page.check('input[name=large]');
  await page.locator('form[action$="/account/preferences"] button').click();
  await page.waitForFunction((before) => parseFloat(getComputedStyle(document.querySelector('main p')).fontSize) > before, before);
  assert.equal(await page.getAttribute('html', 'class'), 'large-text');
  await page.goto(`${office.address}/en/work/${VOTE}`);
  assert.ok(await size() > before);
});
