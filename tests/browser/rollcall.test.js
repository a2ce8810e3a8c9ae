// A roll call of 31 members, each with a device and a passkey of their own: ballots, a correction, the read-back, “this is
// not my vote”, a second close, and the announcement. From the opening of the motion to the announcement within a minute.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { press } from './newcomer.js';
import { folder, heng, rehearse, serveOffice, startBrowser } from './office.js';
import { Person } from './people.js';

const MEMBERS = 31;
let browser;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

/** All at once, but only a few at a time: a hall is not one computer. */
async function each(list, work, together = 4) {
  const waiting = [...list.entries()];
  await Promise.all(Array.from({ length: together }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await work(next[1], next[0]);
  }));
}

/** Opens the account and sets a passkey by the requests of the pages, without drawing them; offers it as signing key. */
async function joinIn({ page, office }, link) {
  await page.goto(`${office.address}/healthz`);
  await page.evaluate(async (link) => {
    const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
    const json = async (address, body) => {
      const response = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${address}: ${await response.text()}`);
      return response.json();
    };
    await fetch(link, { method: 'POST' });
    const { id, options } = await json('/account/passkeys/begin', {});
    const key = options.publicKey;
    key.challenge = bytes(key.challenge);
    key.user.id = bytes(key.user.id);
    key.excludeCredentials = [];
    const made = await navigator.credentials.create({ publicKey: key });
    const answer = {
      id: made.id, rawId: text(made.rawId), type: made.type, extensions: made.getClientExtensionResults(),
      response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject), transports: ['internal'] },
    };
    await json('/account/passkeys', { id, answer, label: 'device' });
    const doc = new DOMParser().parseFromString(await (await fetch('/account/keys')).text(), 'text/html');
    const form = doc.querySelector('form:has([name=credential])');
    form.querySelector('[name=credential]').selectedIndex = 0;
    await fetch(form.getAttribute('action'), { method: 'POST', body: new URLSearchParams(new FormData(form)) });
  }, link);
}

/** Does an act and signs it with the device of the page, by the requests of the pages. */
function sign(page, address, answers = []) {
  return page.evaluate(async ([address, answers]) => {
    const parse = async (response) => {
      const doc = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (!response.ok) throw new Error(`${response.url}: ${response.status} ${doc.querySelector('main')?.textContent}`);
      return doc;
    };
    const raw = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    const b64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
    const post = (to, body) => fetch(to, { method: 'POST', body: new URLSearchParams(body) });
    const filled = async () => {
      const form = await parse(await fetch(address));
      const version = form.querySelector('input[name=_version]').value;
      return post(address, [...answers, ['_version', version], ['_do', 'send']]);
    };
    const doc = await parse(address.includes('/work/sign/') ? await fetch(address) : await filled());
    const form = doc.querySelector('#sign');
    if (!form) throw new Error(`${address}: nothing to sign: ${doc.querySelector('main')?.textContent}`);
    const out = [];
    for (const statement of JSON.parse(form.dataset.statements)) {
      const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(statement.text));
      if (form.dataset.alg === 'ed25519') {
        const seed = raw(localStorage.getItem(`heng-key:${form.dataset.key}`));
        const pkcs8 = Uint8Array.from([...'302e020100300506032b657004220420'.match(/../g).map((pair) => parseInt(pair, 16)), ...seed]);
        const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, false, ['sign']);
        out.push({ s: b64(await crypto.subtle.sign({ name: 'Ed25519' }, key, hash)), at: statement.at });
      } else {
        const { response } = await navigator.credentials.get({ publicKey: { challenge: hash, rpId: form.dataset.rp, userVerification: 'required' } });
        out.push({ s: b64(response.signature), ad: b64(response.authenticatorData), cd: b64(response.clientDataJSON), at: statement.at });
      }
    }
    const done = await post(form.getAttribute('action'), [['signatures', JSON.stringify(out)]]);
    await parse(done);
    return done.url;
  }, [address, answers]);
}

test('a roll call of 31 members with passkeys within a minute', { timeout: 400_000 }, async () => {
  const place = join(folder(), 'office');
  const { members, officers, place: edition } = rehearse(place, 'committee', MEMBERS);
  const office = await serveOffice(place);
  const log = `/en/work/${edition}`;
  try {
    const begun = Date.now();
    const clerks = [];
    for (const officer of officers) {
      const clerk = await Person.open(browser, office);
      await clerk.accept(officer.link);
      await clerk.importKey(officer.seed);
      clerks.push(clerk.page);
    }
    // Everybody comes in with a device of their own; two officers enrol each key, its owner confirms it, and is seated.
    const people = [];
    await each(members, async (member, index) => {
      const one = await Person.open(browser, office, { viewport: { width: 390, height: 800 } });
      await joinIn(one, member.link);
      people[index] = one;
    });
    for (const [index, member] of members.entries()) {
      const proposed = await sign(clerks[0], `/en/work/office/log/key.enrolled/${encodeURIComponent(member.person)}`);
      await sign(clerks[1], proposed);
      const { page } = people[index];
      const confirm = await page.evaluate(async () => {
        const doc = new DOMParser().parseFromString(await (await fetch('/en/work/office/log')).text(), 'text/html');
        return doc.querySelector('a[href*="/key.confirmed/"]').getAttribute('href');
      });
      await sign(page, confirm);
      await sign(clerks[0], `${log}/person.seated/-`, [['person', member.person], ['roles', index === 0 ? 'chair' : 'member']]);
    }
    await each(people, ({ page }) => sign(page, `${log}/pledge.given/-`, [['promise', 'yes'], ['no_other', 'yes']]));
    // The roster by pressing: those who are here, without the chair of the simulation.
    const [first, second] = clerks;
    await first.goto(`${office.address}${log}`);
    await press(first, first.locator('a[href*="/roster.frozen/"]').first());
    await first.uncheck('input[name=members][value="p:0010"]');
    assert.equal(await first.locator('input[name=members]:checked').count(), MEMBERS);
    await press(first, first.locator('form.act .buttons .primary'));
    await press(first, first.locator('#sign button'));
    await second.goto(first.url());
    await press(second, second.locator('#sign button'));
    console.log(`# ${MEMBERS} members with passkeys came in, were enrolled and seated in ${((Date.now() - begun) / 1000).toFixed(1)} s`);

    /** A member does an act by pressing: from its address to its record. */
    const go = async ({ page }, kind, id, fill = async () => {}) => {
      await page.goto(`${office.address}${log}/${kind}/${encodeURIComponent(id)}`, { waitUntil: 'domcontentloaded' });
      await fill(page);
      await press(page, page.locator('form.act .buttons .primary'));
      await press(page, page.locator('#sign button'));
      assert.match(page.url(), /\/records\/\d+$/, await page.locator('main').innerText());
    };
    const vote = (choice) => (page) => page.check(`input[name=choice][value="${choice}"]`);
    const [chair] = people;
    const presence = Date.now();
    await each(people, (one) => go(one, 'presence.recorded', 's1'));
    console.log(`# presence of ${MEMBERS}: ${((Date.now() - presence) / 1000).toFixed(1)} s`);

    const hall = await (await browser.newContext({ viewport: { width: 1280, height: 720 } })).newPage();
    await hall.goto(`${office.address}/en/editions/${edition}/hall`);

    const opened = Date.now();
    const lap = (what) => console.log(`#   ${((Date.now() - opened) / 1000).toFixed(1)} s ${what}`);
    await chair.page.goto(`${office.address}${log}`, { waitUntil: 'domcontentloaded' });
    await press(chair.page, chair.page.locator('a[href*="/motion.opened/"]').first());
    await press(chair.page, chair.page.locator('form.act .buttons .primary'));
    await press(chair.page, chair.page.locator('#sign button'));
    lap('the motion is open');
    await each(people.slice(0, -1), async (one, index) => go(one, 'ballot.cast', 'm1', vote(index % 10 === 9 ? 'no' : 'yes')));
    lap(`${MEMBERS - 1} ballots`);
    // The last device fails: its owner signs on paper. One clerk uploads the scan and enters the ballot, the other compares.
    const failed = members.at(-1);
    await first.goto(`${office.address}${log}/files`);
    await first.selectOption('#upload select', 'other');
    await first.setInputFiles('#upload input[type=file]', { name: 'ballot.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n') });
    await first.click('#upload button[type=submit]');
    await first.locator('main table a', { hasText: 'ballot.pdf' }).waitFor();
    await first.goto(`${office.address}${log}/ballot.cast/m1~paper`);
    await first.selectOption('select[name=member]', failed.person);
    await vote('yes')(first);
    await first.check('input[name=ballot_scan]');
    await first.fill('input[name=reason]', 'The key does not sign.');
    await press(first, first.locator('form.act .buttons .primary'));
    await press(first, first.locator('#sign button'));
    await second.goto(first.url());
    assert.equal(await second.locator('main a', { hasText: 'Download the scan: ballot.pdf' }).count(), 1);
    await press(second, second.locator('#sign button'));
    await hall.waitForFunction(() => /On paper: /.test(document.body.textContent));
    lap('one more, entered from paper by two clerks');
    // One pressed the wrong key and corrects it before the close.
    await go(people[1], 'ballot.cast', 'm1', vote('abstain'));
    const squares = hall.locator('.votes li');
    await hall.waitForFunction((count) => [...document.querySelectorAll('.votes li')].filter((li) => /has voted/.test(li.textContent)).length === count, MEMBERS);
    assert.doesNotMatch(await hall.locator('.votes').innerText(), /\b(yes|no|abstained)\b/i, 'before the close nobody sees a choice');
    await go(chair, 'motion.closed', 'm1');
    lap('closed; the choices are read back in the hall');
    await hall.waitForFunction(() => [...document.querySelectorAll('.vote-word')].some((word) => word.textContent === 'yes'));
    assert.equal(await hall.locator('.vote-word', { hasText: 'yes (paper)' }).count(), 1);
    assert.match(await hall.locator('.hall-foot').innerText(), /entered from paper by two clerks: /);
    // Whoever listens hears the one sentence that has changed.
    assert.equal(await hall.locator('#hall-said[aria-live=polite]').innerText(), 'Each member please compare the own vote');
    assert.equal(await squares.count(), MEMBERS);
    // Each device shows by itself what is recorded for its owner, and the way to say that it is another choice.
    for (const one of [people[5], people[9]]) {
      await one.page.waitForFunction(() => /your choice is recorded as “(yes|no)”/.test(document.body.textContent));
      assert.equal(await one.page.locator('main a.button[href*="/motion.disputed/"]').count(), 1);
      assert.match(await one.page.locator('#session-said').textContent(), /your choice is recorded as/, 'who listens hears what is new');
    }
    await go(people[5], 'motion.disputed', 'm1', (page) => page.fill('input[name=reason]', 'This is not my vote.'));
    await go(chair, 'motion.reopened', 'm1', (page) => page.fill('input[name=reason]', 'A member says: not my vote.'));
    await go(people[5], 'ballot.cast', 'm1', vote('no'));
    await go(chair, 'motion.closed', 'm1');
    // The chair's page counts the time to compare down, and says by itself when it is over.
    await chair.page.waitForFunction(() => /seconds left/.test(document.body.textContent));
    await chair.page.goto(`${office.address}${log}`, { waitUntil: 'domcontentloaded' });
    await chair.page.waitForFunction(() => /The time to compare is over/.test(document.body.textContent));
    await go(chair, 'motion.frozen', 'm1');
    await go(chair, 'result.announced', 'm1');
    const seconds = (Date.now() - opened) / 1000;
    lap('announced');
    await hall.waitForFunction(() => /26 × 3 = 78/.test(document.body.textContent));
    assert.match(await hall.locator('body').innerText(), /at least 2\/3 .* 21 yes votes/);
    assert.equal(await squares.count(), MEMBERS);
    console.log(`# from the opening of the motion to the announcement: ${seconds.toFixed(1)} s`);
    assert.ok(seconds < 60, `it took ${seconds} s`);

    await office.end();
    const doctor = heng('doctor', '--data', place, '--lang', 'en');
    assert.equal(doctor.code, 0, doctor.out + doctor.err);
  } finally {
    office.stop();
  }
});
