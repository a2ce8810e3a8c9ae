// What an expert writes into a scorebook is never lost and never counts twice: through ten minutes without a line, a second
// window, a session that ended, and the back button.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enter, fill, follow, press } from './newcomer.js';
import { startBrowser, startOffice } from './office.js';
import { COUNTY } from './pages.js';
import { Person } from './people.js';

let browser;
let office;
/** The expert whose scorebook waits, and its address. */
let who;
let address;

before(async () => {
  [browser, office] = await Promise.all([startBrowser(), startOffice()]);
  const one = await Person.open(browser, office);
  ({ who } = await follow(one.page, office, COUNTY, { prefix: '/en', clicks: 0, until: (next) => next.kind === 'score.submitted' }));
  await one.go(`/work/${COUNTY}`);
  await one.press('.next-step .button.primary');
  address = decodeURIComponent(new URL(one.page.url()).pathname).replace('/en', '');
  await one.context.close();
});
after(async () => { await browser?.close(); office?.stop(); });

const expert = () => Person.enter(browser, office, who, address);
const areas = (page) => page.locator('form.act textarea');
const state = (page, wanted) => page.locator(`#saved[data-state="${wanted}"]`).waitFor();
const said = (page) => page.locator('#saved').innerText();

test('what a percentage says stands below it while one types, in any digits', { timeout: 60_000 }, async () => {
  const { page } = await expert();
  const percent = page.locator('input[id^="f-percent_"]').first();
  const said = page.locator('.scale [role=status]').first();
  await percent.fill('６５%');
  assert.match(await said.innerText(), /^50–65% · /);
  await percent.fill('70');
  assert.match(await said.innerText(), /^70–85% · /);
  await percent.fill('half');
  assert.equal(await said.innerText(), '');
  await percent.fill('');
  await state(page, 'saved');
});

test('ten minutes without a line: typing goes on, a reload loses nothing, and it is saved when the line is back', { timeout: 120_000 }, async () => {
  const { page, context } = await expert();
  await page.clock.install();
  await page.reload();
  await areas(page).first().fill('Seen on site: the plan is reviewed each quarter.');
  await state(page, 'saved');
  await context.setOffline(true);
  await areas(page).nth(1).fill('Written while the line was down.');
  await state(page, 'offline');
  assert.match(await said(page), /No connection: kept on this device/);
  for (let minute = 1; minute <= 10; minute += 1) {
    await page.clock.fastForward('01:00');
    await areas(page).nth(1 + minute).fill(`Written in minute ${minute}.`);
  }
  await state(page, 'offline');
  await page.locator('form.act .buttons .primary').click();
  assert.equal(await areas(page).nth(11).inputValue(), 'Written in minute 10.', 'without a connection nothing is sent into the void');
  // The browser is closed and opened again, when the line is back: the page is new, the text is there.
  const here = page.url();
  await page.goto('about:blank');
  await context.setOffline(false);
  await page.clock.resume();
  await page.goto(here);
  assert.equal(await areas(page).nth(1).inputValue(), 'Written while the line was down.');
  assert.equal(await areas(page).nth(11).inputValue(), 'Written in minute 10.');
  // The old page may have sent it while it went: then there is nothing to send any more, and nothing is kept here.
  await page.waitForFunction(() => /^Saved/.test(document.getElementById('saved').textContent) && localStorage.length === 0, undefined, { polling: 100 });
  // The server has it: another browser of the same expert shows the same.
  const elsewhere = await expert();
  for (let minute = 1; minute <= 10; minute += 1) assert.equal(await areas(elsewhere.page).nth(1 + minute).inputValue(), `Written in minute ${minute}.`);
});

test('ten minutes without a line, and the page stays open', { timeout: 60_000 }, async () => {
  const { page, context } = await expert();
  await page.clock.install();
  await page.reload();
  await context.setOffline(true);
  await areas(page).nth(12).fill('Typed in a tunnel.');
  await state(page, 'offline');
  await page.clock.fastForward('10:00');
  await state(page, 'offline');
  await page.clock.resume();
  await context.setOffline(false);
  await state(page, 'saved');
  const elsewhere = await expert();
  assert.equal(await areas(elsewhere.page).nth(12).inputValue(), 'Typed in a tunnel.');
});

test('two windows: the second is told, and both texts can be seen', { timeout: 60_000 }, async () => {
  const { page: first, context } = await expert();
  const second = await context.newPage();
  await second.goto(first.url());
  await areas(first).first().fill('The first window wrote this.');
  await state(first, 'saved');
  await areas(second).first().fill('The second window wrote that.');
  await state(second, 'conflict');
  assert.match(await said(second), /changed some of the same answers/);
  assert.equal(await areas(second).first().inputValue(), 'The second window wrote that.');
  assert.match(await second.locator('.theirs').first().innerText(), /The first window wrote this\./);
  const elsewhere = await expert();
  assert.equal(await areas(elsewhere.page).first().inputValue(), 'The first window wrote this.');
  await second.getByRole('button', { name: 'Keep mine' }).click();
  await state(second, 'saved');
  await elsewhere.page.reload();
  assert.equal(await areas(elsewhere.page).first().inputValue(), 'The second window wrote that.');
});

test('a session that ended in the middle: after signing in the text is there', { timeout: 60_000 }, async () => {
  const own = await expert();
  const { page, context } = own;
  // Signed out everywhere, from another window that knows nothing of the scorebook.
  const other = await context.newPage();
  await other.goto(`${office.address}/en/account`);
  await press(other, other.locator('form[action$="/sessions/all"] button'));
  await areas(page).nth(13).fill('Typed after the session had ended.');
  await state(page, 'conflict');
  assert.match(await said(page), /You are signed out\. What you typed is kept/);
  await own.press('form.act .buttons .primary');
  assert.match(page.url(), /\/sign-in\?.*parked=/);
  assert.match(await own.main(), /What you typed has been kept/);
  await own.press('main a[href*="/demo?"]');
  await own.press(page.locator(`form:has(input[name=subject][value="${who}"]) button`));
  assert.equal(decodeURIComponent(new URL(page.url()).pathname), `/en${address}`);
  assert.equal(await areas(page).nth(13).inputValue(), 'Typed after the session had ended.');
});

test('after signing, the back button signs nothing twice', { timeout: 60_000 }, async () => {
  const own = await expert();
  const { page } = own;
  await fill(page, 3);
  await own.press('form.act .buttons .primary');
  assert.match(page.url(), /\/work\/sign\//);
  // What is signed is what was typed, through all of that.
  const signed = await own.main();
  for (const text of ['Written in minute 10.', 'Typed in a tunnel.', 'The second window wrote that.', 'Typed after the session had ended.']) assert.ok(signed.includes(text), text);
  const signing = page.url();
  await own.press('form:has(input[name=demo]) button');
  const record = page.url();
  assert.match(record, /\/records\/\d+$/);
  // Back to the page on which it was signed, and to the form: neither writes a second record.
  await page.goBack();
  if (await page.locator('form:has(input[name=demo]) button').count()) await own.press('form:has(input[name=demo]) button');
  else await page.goto(signing);
  assert.match(await own.main(), /cannot be done now/);
  await enter(page, office, who, '/work', '/en');
  const again = await page.goto(`${office.address}/en${address}`);
  assert.equal(again.status(), 404);
  assert.match(await own.main(), /cannot be done now/);
  const next = await page.goto(record.replace(/\d+$/, (seq) => String(Number(seq) + 1)));
  assert.equal(next.status(), 404, 'there is no second record');
});
