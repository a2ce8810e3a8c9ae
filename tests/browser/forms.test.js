// What somebody types is never lost: through lost connections, second windows, ended sessions, refusals and odd input.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enter, fillParts, press } from './newcomer.js';
import { serveOffice, startBrowser, startOffice } from './office.js';
import { COUNTY } from './pages.js';
import { found, Person } from './people.js';

const APPLICATION = `/work/${COUNTY}/application.submitted/-`;
const PROFILE = `${APPLICATION}?part=1`;
let browser;
let office;

before(async () => { [browser, office] = await Promise.all([startBrowser(), startOffice()]); });
after(async () => { await browser?.close(); office?.stop(); });

/** An applicant at the part of the application that tells of the firm. */
async function applicant(firm = 'o:0005', address = PROFILE) {
  const one = await Person.open(browser, office);
  await enter(one.page, office, firm, address, '/en');
  return one;
}

const saved = (page) => page.locator('#saved');
const state = (page, wanted) => page.locator(`#saved[data-state="${wanted}"]`).waitFor();
const profile = (page) => page.locator('textarea[name=profile]');

test('the line goes and comes while the page stays open', { timeout: 60_000 }, async () => {
  const { page, context } = await applicant('o:0006');
  await context.setOffline(true);
  await profile(page).fill('Typed without a line.');
  await state(page, 'offline');
  await context.setOffline(false);
  await state(page, 'saved');
  const other = await applicant('o:0006');
  assert.equal(await profile(other.page).inputValue(), 'Typed without a line.');
});

test('two colleagues in different parts, and in different questions of one part: both count, and each sees the other', { timeout: 60_000 }, async () => {
  const { page: first, context } = await applicant('o:0006', PROFILE);
  const second = await context.newPage();
  await second.goto(first.url().replace('part=1', 'part=0'));
  await profile(first).fill('Written in one window.');
  await state(first, 'saved');
  // Another part, typed upon the version before: no conflict.
  await second.fill('input[name=contact_name]', '陈一');
  await second.locator('#saved').filter({ hasText: /^Saved/ }).waitFor();
  // The same part: what the other window has not touched comes in by itself.
  const third = await context.newPage();
  await third.goto(second.url());
  await third.fill('input[name=contact_phone]', '000-1111');
  await third.locator('#saved').filter({ hasText: /^Saved/ }).waitFor();
  await second.fill('input[name=contact_name]', '陈一二');
  await second.waitForFunction(() => document.querySelector('input[name=contact_phone]').value === '000-1111');
  await second.goto(`${office.address}/en${APPLICATION}`);
  const rows = second.locator('.task-list li');
  assert.match(await rows.nth(0).innerText(), /complete/);
  assert.match(await rows.nth(0).innerText(), /Saved by you, \d\d:\d\d/);
  await second.goto(first.url());
  assert.equal(await profile(second).inputValue(), 'Written in one window.');
  await second.goto(first.url().replace('part=1', 'part=0'));
  assert.equal(await second.inputValue('input[name=contact_name]'), '陈一二');
  assert.equal(await second.inputValue('input[name=contact_phone]'), '000-1111');
});

test('two windows with the same question: nothing is overwritten, both texts are seen, and one is chosen', { timeout: 60_000 }, async () => {
  const { page: first, context } = await applicant();
  const second = await context.newPage();
  await second.goto(first.url());
  await profile(first).fill('The first window wrote this.');
  await state(first, 'saved');
  await profile(second).fill('The second window wrote that.');
  await state(second, 'conflict');
  assert.match(await saved(second).innerText(), /changed some of the same answers/);
  assert.equal(await profile(second).inputValue(), 'The second window wrote that.');
  assert.match(await second.locator('.theirs').innerText(), /The first window wrote this\./);
  // Without a choice nothing goes on.
  await second.locator('form.act .buttons .primary').click();
  assert.match(await saved(second).innerText(), /choose first/);
  const elsewhere = await applicant();
  assert.equal(await profile(elsewhere.page).inputValue(), 'The first window wrote this.');
  await second.getByRole('button', { name: 'Take theirs instead of mine' }).click();
  await state(second, 'saved');
  assert.equal(await profile(second).inputValue(), 'The first window wrote this.');
  // Once more, and the other way round.
  await profile(first).fill('The first window goes on.');
  await state(first, 'saved');
  await profile(second).fill('The second window wrote that.');
  await state(second, 'conflict');
  await second.getByRole('button', { name: 'Keep mine' }).click();
  await state(second, 'saved');
  await second.goto(first.url());
  assert.equal(await profile(second).inputValue(), 'The second window wrote that.');
  assert.equal(await second.locator('.theirs').count(), 0);
  // A window that was closed with text in it meets the newer one and shows both.
  await first.evaluate(() => localStorage.setItem(`heng-draft:${document.querySelector('form.act').getAttribute('action')}${location.search}`, JSON.stringify({ version: '1', text: 'profile=Typed+in+a+train.' })));
  await first.reload();
  await state(first, 'conflict');
  assert.equal(await profile(first).inputValue(), 'Typed in a train.');
  assert.match(await first.locator('.theirs').innerText(), /The second window wrote that\./);
  // And is asked again, as often as it comes back without having chosen.
  await first.reload();
  await state(first, 'conflict');
  assert.equal(await profile(first).inputValue(), 'Typed in a train.');
  await first.getByRole('button', { name: 'Take theirs instead of mine' }).click();
  await state(first, 'saved');
});

test('without a script: both texts on one page, and the choice counts', { timeout: 60_000 }, async () => {
  const { page: first } = await applicant('o:0006');
  const plain = await browser.newContext({ javaScriptEnabled: false });
  await plain.addCookies(await first.context().cookies());
  const second = await plain.newPage();
  await second.goto(first.url());
  await profile(first).fill('With a script.');
  await state(first, 'saved');
  await profile(second).fill('Without one.');
  await press(second, second.locator('form.act .buttons .primary'));
  assert.match(await second.locator('[role=alert]').first().innerText(), /another window or a colleague/);
  assert.equal(await profile(second).inputValue(), 'Without one.');
  assert.match(await second.locator('.theirs').innerText(), /With a script\./);
  await second.locator('input[name=_theirs]').check();
  await press(second, second.locator('form.act .buttons .primary'));
  await second.goto(first.url());
  assert.equal(await profile(second).inputValue(), 'With a script.');
  await plain.close();
});

test('a block of a spreadsheet is pasted into a table of results, gaps are named, and the picture is drawn', { timeout: 60_000 }, async () => {
  const { page } = await applicant('o:0006', APPLICATION);
  await page.getByRole('link', { name: /^4\.7|^7 / }).first().click();
  const grid = page.locator('table.grid').first();
  const pasted = ['一次交验合格率\t\t≥99\t98.2\t９８．１％\t—\t99.0%', '出口额\t万元\t\t\t1,234.5\t−20\t1 300',
    '甲\t\t\t\t1\t2\t3', '乙\t\t\t\t1\t2\t3', '丙\t\t\t\t1\t2\t3'].join('\n');
  await grid.locator('input').first().evaluate((cell, text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    cell.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, pasted);
  assert.ok((await grid.locator('tbody tr').count()) >= 5, 'rows are added');
  await state(page, 'saved');
  await page.reload();
  const values = await grid.locator('tbody tr').nth(1).locator('input').evaluateAll((cells) => cells.map((cell) => cell.value));
  assert.deepEqual(values, ['出口额', '万元', '', '', '1,234.5', '−20', '1 300']);
  assert.match(await page.locator('.gaps').first().innerText(), /Row 1, “一次交验合格率”: no value for \d{4}/);
  assert.match(await page.locator('.picture.trend').nth(1).textContent(), /−20/);
});

test('after sending, the back button sends nothing twice, and an old text does not come back into a new form', { timeout: 90_000 }, async () => {
  const { page } = await applicant('o:0005', APPLICATION);
  await fillParts(page, 3);
  assert.equal(await page.locator('h1').innerText(), 'Check your answers');
  await press(page, page.locator('button[value=send]'));
  const record = page.url();
  assert.match(record, /\/records\/\d+$/);
  await page.goBack();
  await press(page, page.locator('button[value=send]'));
  assert.match(await page.locator('[role=alert]').innerText(), /was sent already and was not sent a second time/);
  assert.equal(await page.locator('.task-list li', { hasText: /complete|optional/ }).count(), await page.locator('.task-list li').count(), 'the form stands there with its text');
  await page.goto(`${office.address}/en/work/${COUNTY}/applications`);
  assert.equal(await page.locator('tbody tr').count(), 1);
  const number = Number(record.match(/\d+$/)[0]);
  const response = await page.goto(record.replace(/\d+$/, String(number + 1)));
  assert.equal(response.status(), 404, 'there is no second record');

  const officer = await Person.open(browser, office);
  const extend = `/work/${COUNTY}/window.extended/-`;
  await enter(officer.page, office, 'p:0001', extend, '/en');
  await officer.page.fill('input[name=reason]', 'Typed and sent at once.');
  await officer.press('form.act button[value=check]');
  await officer.press('button[value=send]');
  if (/records/.test(officer.page.url())) {
    await officer.go(extend);
    assert.equal(await officer.page.inputValue('input[name=reason]'), '');
  }
});

test('a refused record keeps the form', { timeout: 60_000 }, async () => {
  const officer = await Person.open(browser, office);
  await enter(officer.page, office, 'p:0001', `/work/${COUNTY}/window.extended/-`, '/en');
  await officer.page.fill('input[name=closes]', '2001-01-01T08:00');
  await officer.page.fill('input[name=reason]', 'A reason that must not be lost.');
  await officer.press('form.act button[value=check]');
  if (!(await officer.page.locator('[role=alert]').count())) await officer.press('button[value=send]');
  const said = await officer.page.locator('[role=alert]').first().innerText();
  assert.doesNotMatch(said, /\{|refusal\./);
  assert.ok(said.length > 20, said);
  assert.equal(await officer.page.inputValue('input[name=reason]'), 'A reason that must not be lost.');
  assert.equal(await officer.page.inputValue('input[name=closes]'), '2001-01-01T08:00');
});

test('a session that ended in the middle of a form: after signing in the text is there', { timeout: 90_000 }, async () => {
  const { place, officers } = found();
  const own = await serveOffice(place);
  try {
    const here = await Person.open(browser, own);
    await here.accept(officers[0].link);
    await here.go('/work/office/log/person.registered/-');
    await here.page.fill('input[name=name]', '王五');
    await state(here.page, 'saved');
    // Signed out everywhere from another window of the same browser, which knows nothing of the form.
    const other = await here.context.newPage();
    await other.goto(`${own.address}/en/account`);
    await press(other, other.locator('form[action$="/sessions/all"] button'));
    await here.page.fill('input[name=name]', '王五六');
    await state(here.page, 'conflict');
    assert.match(await saved(here.page).innerText(), /You are signed out\. What you typed is kept/);
    await here.press('form.act .buttons .primary');
    assert.match(here.page.url(), /\/sign-in\?.*parked=/);
    assert.match(await here.main(), /What you typed has been kept/);
    await here.press('#passkey button');
    assert.match(here.page.url(), /person\.registered/);
    assert.equal(await here.page.inputValue('input[name=name]'), '王五六');
    // The cookie is gone altogether: the browser itself remembers.
    await here.context.clearCookies();
    await here.page.fill('input[name=name]', '王五六七');
    await here.press('form.act .buttons .primary');
    assert.match(here.page.url(), /\/sign-in/);
    await here.press('#passkey button');
    assert.match(here.page.url(), /person\.registered/);
    assert.equal(await here.page.inputValue('input[name=name]'), '王五六七');
  } finally {
    own.stop();
  }
});

test('odd input: the sentence stands at the field, focus on the summary, and what was typed stays', { timeout: 90_000 }, async () => {
  const officer = await Person.open(browser, office);
  await enter(officer.page, office, 'p:0001', '/work/office/log/entry.posted/-', '/en');
  const { page } = officer;
  const [year, amount, text] = ['year', 'amount', 'entry_text'].map((name) => page.locator(`form.act input[name="${name}"]`));
  await year.fill('2026');
  await amount.fill('1234.50');
  await text.fill('Budget (invented)');
  const cases = [
    [text, 'abc\u202Edef', /turn the direction of the text/],
    [text, 'a\u0007b', /control characters/],
    [text, 'a'.repeat(201), /At most 200 characters; there are 201/],
    [text, '', /Please fill this in/],
    [year, '😀', /not a whole number/],
    [year, '1802', /between 1949 and 2200/],
    [amount, '1.234', /at most two decimals/],
    [amount, '-5', /cannot be below zero/],
  ];
  for (const [field, typed, sentence] of cases) {
    const before = await field.inputValue();
    await field.fill(typed);
    await press(page, page.locator('form.act .buttons .primary'));
    await page.waitForFunction(() => document.activeElement?.id === 'errors');
    assert.match(await page.locator('#errors').innerText(), sentence);
    const id = await field.getAttribute('id');
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    const described = (await field.getAttribute('aria-describedby')).split(' ');
    const texts = await Promise.all(described.map((own) => page.locator(`[id="${own}"]`).innerText()));
    assert.match(texts.join(' '), sentence);
    assert.equal(await page.locator('#errors a').first().getAttribute('href'), `#${id}`);
    assert.equal(await field.inputValue(), typed);
    await field.fill(before);
  }
  // Full-width digits and emoji in a text are as good as any.
  await year.fill('２０２６');
  await text.fill('预算 😀 １２３');
  await press(page, page.locator('form.act .buttons .primary'));
  assert.match(page.url(), /\/work\/sign\//);
  assert.match(await page.locator('main').innerText(), /预算 😀/);
  // Ten thousand fields are no form.
  const [status, said] = await page.evaluate(async (address) => {
    const body = new URLSearchParams();
    for (let n = 0; n < 10_000; n += 1) body.append(`f${n}`, 'x');
    const response = await fetch(address, { method: 'POST', body });
    const doc = new DOMParser().parseFromString(await response.text(), 'text/html');
    return [response.status, doc.querySelector('main').textContent];
  }, '/en/work/office/log/entry.posted/-');
  assert.equal(status, 422);
  assert.match(said, /too much at once/);
});

test('a long form in parts: what is wrong is named on the list, and leads to the question', { timeout: 60_000 }, async () => {
  const { page } = await applicant('o:0006', APPLICATION);
  await fillParts(page, 2, async (part) => {
    const percent = page.locator('input[name^="percent:"]').first();
    if (part === 4) await percent.fill('63');
  });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'errors');
  assert.match(await page.locator('#errors').innerText(), /multiple of 5/);
  await page.locator('#errors a').first().click();
  const field = page.locator('input[name^="percent:"]').first();
  await field.waitFor();
  assert.equal(await field.inputValue(), '63');
});
