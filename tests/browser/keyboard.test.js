// An application, a scorebook and a ballot by keyboard alone: nothing is ever clicked, and one always sees where one is.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { folder, rehearse, serveOffice, startBrowser, startOffice } from './office.js';
import { VOTE } from './pages.js';
import { Person } from './people.js';

let browser;
let office;
before(async () => { [browser, office] = await Promise.all([startBrowser(), startOffice()]); });
after(async () => { await browser?.close(); office?.stop(); });

/** Where the focus is, and whether one sees it. Runs in the page. */
function focus() {
  const here = document.activeElement;
  if (!here || here === document.body) return { lost: true };
  const style = getComputedStyle(here);
  const { left, top, width, height } = here.getBoundingClientRect();
  const points = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.2], [0.1, 0.8], [0.9, 0.8]].map(([x, y]) => [left + x * width, top + y * height]);
  const hit = points.some(([x, y]) => {
    const found = document.elementFromPoint(x, y);
    return found && (here.contains(found) || found.contains(here) && found.tagName !== 'HTML' && found !== document.body || found.closest('label')?.control === here);
  });
  return {
    lost: false,
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: width > 0 && height > 0 && hit,
    name: `${here.tagName} ${here.name ?? ''} ${here.textContent.trim().slice(0, 40)}`,
  };
}

/** Somebody who has nothing but keys. */
class Keys {
  constructor(page) { this.page = page; }

  /** Presses Tab: the focus is somewhere, and can be seen. */
  async tab(key = 'Tab') {
    await this.page.keyboard.press(key);
    const { lost, ring, seen, name } = await this.page.evaluate(focus);
    assert.ok(!lost, `the focus is lost on ${this.page.url()}`);
    assert.ok(ring, `no ring around ${name} on ${this.page.url()}`);
    assert.ok(seen, `${name} has the focus and is not in sight on ${this.page.url()}`);
  }

  is(selector) {
    return this.page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
  }

  /** Goes on until something has the focus. */
  async reach(selector, most = 400) {
    for (let n = 0; n < most; n += 1) {
      await this.tab();
      if (await this.is(selector)) return;
    }
    throw new Error(`${selector} cannot be reached on ${this.page.url()}`);
  }

  /** Back and forth: nothing holds the focus, and the way back is the way there. */
  async sway() {
    const mark = () => this.page.evaluate(() => { const all = [...document.querySelectorAll('*')]; return all.indexOf(document.activeElement); });
    const here = await mark();
    await this.tab('Shift+Tab');
    const before = await mark();
    assert.ok(before < here, `Shift+Tab does not lead back on ${this.page.url()}`);
    await this.tab();
    assert.equal(await mark(), here);
  }

  /** Presses Enter on what leads to another page. */
  async enter() {
    await Promise.all([this.page.waitForNavigation({ waitUntil: 'domcontentloaded' }), this.page.keyboard.press('Enter')]);
    const alert = this.page.locator('[role=alert], #errors');
    if (await alert.count()) throw new Error(`${this.page.url()}: ${await alert.first().innerText()}`);
  }

  async go(selector) {
    await this.reach(selector);
    await this.sway();
    await this.enter();
  }

  /** Answers the question that has the focus, as its kind asks for it. */
  async answer() {
    const { page } = this;
    const { kind, name, value } = await page.evaluate(() => {
      const { type, tagName, name, value } = document.activeElement;
      return { kind: tagName === 'TEXTAREA' ? 'area' : tagName === 'SELECT' ? 'select' : type, name, value };
    });
    if (kind === 'radio' || kind === 'checkbox') return page.keyboard.press('Space');
    if (kind === 'select') return page.keyboard.press('ArrowDown');
    // Day, month and year are fields of their own in there.
    if (kind === 'date') return page.keyboard.type(name.endsWith('from') ? '03012026' : '03022026');
    if (value) return undefined;
    if (/^(percent|mark)/.test(name)) return page.keyboard.type('65');
    return page.keyboard.type(kind === 'area' ? 'By keyboard (invented).' : '120');
  }

  /** Answers all questions of the form and stops at its button. */
  async fill(most = 400) {
    const done = new Set();
    for (let n = 0; n < most; n += 1) {
      await this.tab();
      if (await this.is('form.act .buttons .primary')) return [...done];
      // The cells of a table share its name.
      const { name, cell } = await this.page.evaluate(() => {
        const here = document.activeElement;
        const form = here.closest('form.act');
        return { name: form ? here.name : '', cell: here.closest('table.grid') && !here.closest('.field').querySelector('.optional') };
      });
      if (!name || (done.has(name) && !cell)) continue;
      await this.answer();
      done.add(name);
    }
    throw new Error(`the form has no end on ${this.page.url()}`);
  }
}

/** The questions of the form of the page that have no answer and need one. Runs in the page. */
function open() {
  const fields = [...document.querySelectorAll('form.act :is(input:not([type=hidden]), textarea, select)')];
  const needed = fields.filter((field) => !field.closest('.field')?.querySelector('.optional'));
  const answered = (field) => (['radio', 'checkbox'].includes(field.type) ? fields.some((one) => one.name === field.name && one.checked) : field.value);
  return needed.filter((field) => !answered(field)).map((field) => field.name);
}

test('an application, from the list of tasks to the receipt', { timeout: 240_000 }, async () => {
  const { page } = await Person.enter(browser, office, 'o:0005');
  const keys = new Keys(page);
  await keys.go('.next-step .button.primary, a[href*="/application.submitted/"]');
  const parts = await page.locator('.task-list li').count();
  assert.ok(parts >= 10, `${parts} parts`);
  await keys.go('.task-list li:first-child a');
  const questions = new Set();
  for (let part = 0; part < parts; part += 1) {
    for (const name of await keys.fill()) questions.add(name);
    assert.deepEqual(await page.evaluate(open), [], `part ${part}`);
    await keys.sway();
    await keys.enter();
  }
  assert.equal(await page.locator('.task-list li', { hasText: /complete|optional/ }).count(), parts, 'every part is filled in');
  await keys.go('form.act-list button[value=check]');
  assert.equal(await page.locator('h1').innerText(), 'Check your answers');
  await keys.go('button[value=send]');
  assert.match(page.url(), /\/records\/\d+$/);
  assert.match(await page.locator('main').innerText(), /By keyboard|a:00\d/);
  await keys.reach('a[href*="/receipts/"]');
  const [receipt] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  assert.match(receipt.suggestedFilename(), /^receipt-\d+/);
  console.log(`# an application of ${questions.size} questions in ${parts} parts by keyboard`);
});

test('a scorebook, from the pledge to the record, signed with a passkey', { timeout: 240_000 }, async () => {
  const place = join(folder(), 'office');
  const { expert, place: edition } = rehearse(place, 'panel');
  const own = await serveOffice(place);
  try {
    const one = await Person.open(browser, own);
    await one.accept(expert.link);
    await one.hold(expert.seed);
    const { page } = one;
    const keys = new Keys(page);
    await one.go(`/work/${edition}`);
    // The pledge comes first: before it no dossier opens.
    await keys.go('.next-step .button.primary');
    assert.match(page.url(), /\/pledge\.given\//);
    await keys.fill();
    await keys.enter();
    await keys.go('#sign button');
    assert.match(page.url(), /\/records\/\d+$/);
    await keys.go('.next-step .button');
    // The dossier, and back to the list.
    await keys.go('a[href$="/applications"]');
    await keys.go('main a[href*="/applications/a"]');
    assert.match(await page.locator('main').innerText(), /\(invented\)/);
    await one.go(`/work/${edition}`);
    await keys.go('.next-step .button.primary');
    assert.match(page.url(), /\/score\.submitted\//);
    const questions = await keys.fill();
    assert.deepEqual(await page.evaluate(open), []);
    assert.ok(questions.filter((name) => name.startsWith('percent:')).length >= 20, 'a mark for every item');
    assert.ok(questions.filter((name) => name.startsWith('strengths:')).length >= 20, 'a remark for every item');
    await keys.sway();
    await keys.enter();
    // What is signed stands there to be checked.
    assert.match(page.url(), /\/work\/sign\//);
    assert.match(await page.locator('main').innerText(), /65[\s\S]*By keyboard/);
    await keys.go('#sign button');
    assert.match(page.url(), /\/records\/\d+$/);
    console.log(`# a scorebook of ${questions.length} questions by keyboard`);
  } finally {
    own.stop();
  }
});

test('a ballot', { timeout: 60_000 }, async () => {
  const { page } = await Person.enter(browser, office, 'p:0022', `/work/${VOTE}`);
  const keys = new Keys(page);
  await keys.go('.next-step .button.primary');
  // The arrows change the choice before it counts.
  await keys.reach('input[name=choice]');
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  const second = await page.evaluate(() => document.activeElement.value);
  assert.ok(await page.evaluate(() => document.activeElement.checked));
  await page.keyboard.press('ArrowUp');
  assert.notEqual(await page.evaluate(() => document.activeElement.value), second);
  await keys.go('form.act .buttons .primary');
  await keys.go('form:has(input[name=demo]) button');
  assert.match(page.url(), /\/records\/\d+$/);
});
