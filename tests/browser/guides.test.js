// The illustrated guides: everybody of an award walks through what their guide says, in Chinese and in English. What a
// guide says in bold must stand on the page; `HENG_GUIDE_PICTURES=1` takes its pictures on the way.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Guides, unsound } from './guides.js';
import { enter, fill, fillParts, follow, press } from './newcomer.js';
import { binary, folder, heng, serveDemonstration, serveOffice, startBrowser, startOffice } from './office.js';
import { Person, found } from './people.js';

const YEAR = new Date().getFullYear();
const WIDE = { width: 1000, height: 800 };
const PHONE = { width: 390, height: 800 };
const NEXT = '.next-step .button.primary';
const SEND = 'form.act .buttons .primary';
const SIGN = '.device button';
let browser;
/** An office whose committee votes on paper, to be copied. */
const onPaper = join(folder(), 'office');

before(async () => {
  browser = await startBrowser();
  const built = spawnSync(join(dirname(binary), 'examples/paper'), [onPaper], { encoding: 'utf8' });
  assert.equal(built.status, 0, built.stderr);
});
after(async () => {
  await browser?.close();
  rmSync(dirname(onPaper), { recursive: true, force: true });
});

/** Somebody who walks through an edition of a demonstration, as whoever has to act. */
class Walk {
  static async open(guides, office, place, prefix) {
    const walk = new Walk();
    const page = async () => (await browser.newContext({ reducedMotion: 'reduce', viewport: WIDE })).newPage();
    Object.assign(walk, { guides, office, place, prefix, page: await page(), stranger: await page() });
    return walk;
  }

  /** A page of the edition's workspace, as whoever is signed in. */
  go(path = '') {
    return this.page.goto(`${this.office.address}${this.prefix}/work/${this.place}${path}`, { waitUntil: 'domcontentloaded' });
  }

  as(subject, path = '') {
    return enter(this.page, this.office, subject, `/work/${this.place}${path}`, this.prefix);
  }

  /** Lets everybody do what comes next, until it is an act of this kind; then opens its form. */
  async until(kind) {
    // Experts differ: whoever scores the same applicant does not say the same.
    const judge = ({ href }, at) => (href.includes('/score.submitted/') ? 2 + (at * 3) % 7 : 4);
    await follow(this.page, this.office, this.place, { prefix: this.prefix, clicks: 0, judge, until: (next) => next.kind === kind });
    await this.go();
    assert.ok(await this.page.locator(`${NEXT}`).count(), `nothing to press for ${kind}`);
  }

  async begin(kind) {
    await this.until(kind);
    await press(this.page, this.page.locator(NEXT));
  }

  /** Opens one of the other things that can be done. */
  async other(kind) {
    await this.page.locator('details.more summary').first().click();
    await press(this.page, this.page.locator(`a[href*="/${kind}/"]`).first());
  }

  show(name, options) { return this.guides.show(name, this.page, options); }

  press(selector) { return press(this.page, this.page.locator(selector).first()); }

  /** Sends the form of the page; looks at what comes then for a picture. */
  async send(name, seed = 4) {
    await fill(this.page, seed);
    await this.press(SEND);
    if (name) await this.guides.look(name, this.page);
  }

  async sign(name) {
    await this.press(SIGN);
    if (name) await this.guides.look(name, this.page);
  }

  phone(on) { return this.page.setViewportSize(on ? PHONE : WIDE); }

  visit(path) { return this.stranger.goto(`${this.office.address}${this.prefix}${path}`, { waitUntil: 'domcontentloaded' }); }

  async close() {
    await this.page.context().close();
    await this.stranger.context().close();
  }
}

/** Signing in with a device of one's own, in an office that is no demonstration. */
async function start(guides, prefix) {
  const { place, officers } = found();
  const office = await serveOffice(place);
  const people = [];
  const open = async () => {
    const person = await Person.open(browser, office, { prefix, viewport: WIDE });
    people.push(person);
    return person;
  };
  try {
    const [first, second] = [await open(), await open()];
    for (const [at, officer] of [first, second].entries()) {
      await officer.accept(officers[at].link);
      await officer.importKey(officers[at].seed);
    }
    // The office registers somebody; two officers give them a role.
    await first.open('office/log', 'person.registered');
    await first.page.fill('input[name=name]', '王示五');
    await first.page.check('input[name=public_name]');
    await first.press(SEND);
    await first.sign();
    await first.open('office/log', 'role.granted');
    await first.choose('person', 'p:0003');
    await first.choose('role', 'supervisor');
    await first.page.fill('input[name=from]', `${YEAR}-01-01`);
    await first.page.fill('input[name=until]', `${YEAR + 3}-12-31`);
    await first.press(SEND);
    await first.sign();
    await second.next();
    const link = await first.invite('p:0003', '王示五');

    const guest = await open();
    await guest.go(link.replace(/^.*(?=\/invitations\/)/, ''));
    await guides.show('start-1', guest.page, { mark: 'main form button' });
    await guest.press('main form button');
    await guides.look('start-2', guest.page);
    await guest.press('#passkey button');
    await guest.go('/account/keys');
    await guest.press('form:has(select[name=credential]) button');
    await guides.show('start-2', guest.page, { height: 900 });
    await first.next();
    await second.next();
    await guest.go('/work/office/log');
    await guest.press(NEXT);
    if (await guest.page.locator('form.act').count()) await guest.press(SEND);
    await guides.show('start-4', guest.page, { mark: '#sign button' });
    await guest.sign();
    assert.match(guest.page.url(), /\/records\/\d+$/);
  } finally {
    for (const person of people) await person.context.close();
    office.stop();
  }
}

/** From the open window to the result, with an objection and everybody in turn. */
async function edition(walk) {
  const { guides, page, stranger } = walk;

  // Somebody who has a look.
  await page.goto(`${walk.office.address}${walk.prefix}/demo`, { waitUntil: 'domcontentloaded' });
  await walk.show('newcomer-1');

  // The applicant.
  await walk.until('application.submitted');
  await walk.go('/files');
  await page.locator('input[type=file]').setInputFiles({ name: '2025-certificate.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') });
  await walk.show('applicant-3', { mark: 'main form button', height: 700 });
  await walk.go();
  await walk.press(NEXT);
  await walk.show('applicant-1', { height: 820 });
  await page.locator('.task-list a').nth(3).click();
  await page.locator('form.act textarea').first().fill(walk.guides.lang === 'en' ? 'Our three leaders meet every front-line team once a month … (invented)' : '三位主要领导每月到一线班组一次，听取意见并当场答复……（虚构）');
  await walk.show('applicant-2', { mark: SEND, from: 'form.act', height: 900 });
  await walk.go();
  await walk.press(NEXT);
  await fillParts(page, 4, () => guides.look('applicant-3', page));
  await walk.press('form:has(input[name=_version]) .buttons button[value=send]');
  await walk.show('applicant-4', { mark: 'a[href*="/receipts/"]' });

  // The recommender.
  await walk.begin('recommendation.given');
  await fill(page);
  await walk.show('recommender-1', { mark: SEND, from: 'form.act' });

  // The office: departments, conditions, and the draw.
  await walk.begin('opinions.asked');
  await guides.look('clerk-9', page);
  await walk.begin('opinion.received');
  await walk.as('p:0001', '/opinions');
  await walk.show('clerk-9', { height: 820 });
  await walk.begin('condition.checked');
  await fill(page);
  await walk.show('clerk-2', { from: 'form.act', height: 700 });
  await walk.until('pre_review.decided');
  await walk.show('start-3', { from: 'body', mark: NEXT });
  assert.ok(await page.locator('details.more a[href*="/condition.checked/"]').count(), 'what was checked can be checked again');
  await walk.begin('draw.planned');
  await walk.show('clerk-3', { mark: SEND });
  await walk.begin('draw.revealed');
  await walk.send('clerk-4');
  await walk.sign('clerk-4');
  await walk.as('p:0002');
  await walk.show('clerk-4', { mark: NEXT });

  // The experts.
  await walk.begin('pledge.given');
  for (const box of await page.locator('form.act input[type=checkbox]').all()) await box.check();
  await walk.show('expert-1', { mark: SEND });
  await walk.begin('score.submitted');
  await walk.show('expert-2', { from: 'form.act', height: 760 });
  await walk.begin('consensus.agreed');
  await walk.show('expert-3', { height: 820 });
  // On site.
  await walk.begin('visit.planned');
  await walk.show('expert-4', { mark: SEND, height: 900 });
  await walk.as('p:0001', '/board');
  await walk.show('clerk-1', { height: 760 });
  await walk.begin('shortlist.decided');
  await walk.show('clerk-5', { mark: SEND, height: 760 });

  // The committee.
  await walk.begin('presence.recorded');
  await walk.phone(true);
  await walk.show('member-1', { mark: SEND, from: 'body' });
  await walk.phone(false);
  await walk.begin('motion.opened');
  await walk.show('chair-1', { mark: SEND });
  await walk.begin('ballot.cast');
  await walk.phone(true);
  await page.locator('input[name=choice]').first().check();
  await walk.show('member-2', { mark: SEND, height: 760 });
  await walk.press(SEND);
  assert.doesNotMatch(await page.locator('main').innerText(), /[0-9a-f]{64}/, 'a member reads words before signing');
  await guides.look('member-2', page);
  await walk.phone(false);
  await walk.begin('motion.closed');
  await walk.press(SEND);
  await walk.sign();
  await walk.visit(`/editions/${walk.place}/hall`);
  await guides.show('hall-1', stranger, { from: 'body', height: 760 });
  await walk.as('p:0012');
  await walk.other('motion.disputed');
  await walk.phone(true);
  await walk.show('member-3', { mark: SEND });
  await walk.phone(false);
  await walk.begin('result.announced');
  await walk.press(SEND);
  await walk.show('chair-2', { mark: SIGN, height: 700 });
  await walk.sign();

  // The notice, and an objection to it.
  await walk.begin('notice.published');
  await walk.show('clerk-6', { height: 760 });
  await walk.press(SEND);
  await walk.sign();
  await walk.go();
  await walk.other('stage.closed');
  await walk.press(SEND);
  await walk.show('clerk-8');
  await walk.visit(`/editions/${walk.place}`);
  await guides.show('public-1', stranger, { mark: NEXT });
  await press(stranger, stranger.locator(NEXT));
  const said = walk.guides.lang === 'en' ? ['Yunchuan Chamber of Example (invented)', 'A complaint of last year is still open (invented).'] : ['云川示例商会（虚构）', '该单位去年的一起质量投诉尚未办结，请核查。（虚构）'];
  await stranger.fill('[name=name]', said[0]);
  await stranger.fill('[name=identity]', '52990000MJ0000000X');
  await stranger.fill('[name=contact]', '0396-0000000');
  await stranger.fill('[name=grounds]', said[1]);
  await stranger.locator('[name=by]').first().check();
  await guides.show('public-2', stranger, { mark: 'form:has([name=grounds]) button', from: '#objection', height: 1000 });
  await press(stranger, stranger.locator('form:has([name=grounds]) button'));
  await guides.look('public-2', stranger);
  await walk.until('objection.answered');
  const answering = await page.locator(NEXT).getAttribute('href');
  await walk.as('p:0003', '/board');
  await walk.show('supervisor-1', { height: 560 });
  await walk.as('p:0001');
  await page.goto(walk.office.address + answering);
  await page.locator('input[name=upheld]').last().check();
  await page.locator('input[name=remove]').last().check();
  await walk.show('clerk-7', { mark: SEND, height: 760 });
  await walk.send();
  await walk.sign();
  await walk.as('p:0001', '/papers');
  await walk.show('clerk-10', { height: 900 });
  await page.goto(`${walk.office.address}${walk.prefix}/work/office/log/rules.adopted/nanlu-county`);
  await walk.show('clerk-11', { mark: 'a.button[href*="/rules/"]', height: 700 });
  await walk.press('a.button[href*="/rules/"]');
  await guides.look('clerk-11', page);
  await walk.begin('decision.made');
  await walk.show('authority-1', { height: 760 });
}

/** The check, by somebody who is not signed in, with the program on their own computer. */
async function check(walk) {
  const { guides, stranger, office } = walk;
  const place = 'yunchuan-mayor/2025';
  await walk.visit(`/editions/${place}`);
  await guides.show('public-3', stranger, { mark: NEXT, height: 560 });
  await press(stranger, stranger.locator(NEXT));
  await guides.show('public-4', stranger, { mark: NEXT, height: 760 });
  const bundle = await stranger.request.get(new URL(await stranger.locator(NEXT).getAttribute('href'), office.address).href);
  const file = join(folder(), 'edition.tar');
  writeFileSync(file, await bundle.body());
  const { code, out, err } = heng('verify', file, '--lang', guides.lang);
  assert.equal(code, 0, out + err);
  await guides.look('public-4', out);
}

/** Ballots on paper: counted by two, and signed by the supervisor. */
async function paper(guides, prefix) {
  const place = join(folder(), 'office');
  cpSync(onPaper, place, { recursive: true });
  const office = await serveDemonstration(place);
  const walk = await Walk.open(guides, office, `anlan/${YEAR}`, prefix);
  try {
    await walk.begin('count.recorded');
    for (const [name, value] of [['issued', '10'], ['returned', '10']]) await walk.page.fill(`input[name="${name}"]`, value);
    const votes = ['9', '1', '0'];
    for (const [at, vote] of ['yes', 'no', 'abstain'].entries()) await walk.page.locator(`input[name^="${vote}:"]`).fill(votes[at]);
    await walk.show('counter-1', { mark: SEND, height: 820 });
    await walk.press(SEND);
    await walk.sign();
    await walk.as('p:0003');
    await guides.look('supervisor-2', walk.page);
    await walk.press(NEXT);
    await walk.show('supervisor-2', { mark: SIGN, height: 760 });
  } finally {
    await walk.close();
    office.stop();
  }
}

test('the guides are whole: both languages, one picture for each step, no sentence that the product does not say', () => {
  assert.deepEqual(unsound(), []);
});

describe('what the guides say stands on the pages', { concurrency: 2 }, () => {
  for (const [lang, prefix] of [['zh', ''], ['en', '/en']]) {
    test(lang, { timeout: 480_000 }, async () => {
      const guides = new Guides(lang);
      const office = await startOffice();
      const walk = await Walk.open(guides, office, `nanlu-county/${YEAR}`, prefix);
      try {
        await start(guides, prefix);
        await edition(walk);
        await check(walk);
        await paper(guides, prefix);
      } finally {
        await walk.close();
        office.stop();
      }
      assert.deepEqual(guides.unseen(), []);
    });
  }
});
