// What must stay secret stands in no line of the server's log, even when it says all that it can say: a whole edition and
// a whole account through the pages, then a search for everything that was typed or shown.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enter, fill, fillParts, follow, press } from './newcomer.js';
import { heng, serveOffice, startBrowser, startOffice } from './office.js';
import { COUNTY, YEAR } from './pages.js';
import { code, found, Person } from './people.js';

const SETTINGS = {
  mail: 'the-password-of-the-mail-account',
  hook: 'the-secret-of-the-text-messages',
  provider: 'the-secret-at-the-identity-provider',
};
const FILE = `delay_seconds = 1
[mail]
host = "127.0.0.1"
port = 9
security = "none"
from = "award@example.cn"
user = "award"
password = "${SETTINGS.mail}"
[hook]
url = "https://127.0.0.1:9/heng"
secret = "${SETTINGS.hook}"
private_hosts = ["127.0.0.1"]
[oidc]
issuer = "http://127.0.0.1:9"
client_id = "heng"
client_secret = "${SETTINGS.provider}"
`;
let browser;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

/** What was typed or shown, each with what it is. */
class Secrets {
  #kept = new Map();

  keep(what, value) {
    assert.ok(String(value).length >= 6, `${what} is too short to be looked for: ${value}`);
    this.#kept.set(String(value), what);
    return value;
  }

  async cookies(person) {
    const cookies = await person.context.cookies();
    for (const { name, value } of cookies) this.keep(`the cookie ${name}`, value);
    return cookies;
  }

  /** A text as it may stand in a log: as it is, in an address, in a form, in JSON, as Rust shows bytes. */
  static forms(value) {
    const bytes = Buffer.from(value);
    const form = new URLSearchParams([['', value]]).toString().slice(1);
    return [value, encodeURIComponent(value), form, JSON.stringify(value).slice(1, -1), bytes.toString('base64').replace(/=*$/, ''), [...bytes].join(', ')];
  }

  static finds(log, value) {
    return Secrets.forms(value).some((form) => log.includes(form));
  }

  /** None of them is in the log. */
  absent(log, least) {
    assert.ok(this.#kept.size >= least, `${this.#kept.size} secrets were kept`);
    const leaks = [...this.#kept].filter(([value]) => Secrets.finds(log, value)).map(([value, what]) => `${what}: ${value}`);
    assert.deepEqual(leaks, []);
    return this.#kept.size;
  }
}

test('the search finds what is there, however it is written', () => {
  const secret = '电话 000-1';
  for (const form of Secrets.forms(secret)) assert.ok(Secrets.finds(`a line with ${form} in it`, secret), form);
  assert.ok(!Secrets.finds('a line without', secret));
  const secrets = new Secrets();
  secrets.keep('a telephone', secret);
  assert.throws(() => secrets.absent('GET /x?q=%E7%94%B5%E8%AF%9D%20000-1', 1), /a telephone/);
});

test('a whole edition', { timeout: 400_000 }, async () => {
  const office = await startOffice({ settings: FILE, verbose: true });
  const secrets = new Secrets();
  for (const [what, value] of Object.entries(SETTINGS)) secrets.keep(`the secret of the ${what}`, value);
  try {
    // An applicant with a contact.
    const firm = await Person.enter(browser, office, 'o:0005', `/work/${COUNTY}/application.submitted/-`);
    await fillParts(firm.page, 3, async () => {
      const name = firm.page.locator('input[name=contact_name]');
      if (!(await name.count())) return;
      await name.fill(secrets.keep('the name of a contact', '郑示秘 (invented)'));
      await firm.page.fill('input[name=contact_phone]', secrets.keep('the telephone of a contact', '000-1357-2468'));
    });
    await firm.press('button[value=send]');
    assert.match(firm.page.url(), /\/records\/\d+$/);
    await secrets.cookies(firm);

    // Somebody who objects.
    const objector = await Person.open(browser, office);
    await objector.go(`/editions/dongan-district/${YEAR}/notices/n-notice`);
    await objector.page.check('input[name=by][value=unit]');
    await objector.page.fill('textarea[name=grounds]', secrets.keep('the grounds of an objection', 'The figures look wrong to us (invented).'));
    await objector.page.fill('input[name=name]', secrets.keep('the name of an objector', 'Chamber of Secrets (invented)'));
    await objector.page.fill('input[name=identity]', secrets.keep('the identity of an objector', '91990000MA9999999T'));
    await objector.page.fill('input[name=contact]', secrets.keep('the contact of an objector', '000-8642-9753'));
    await objector.press('main form button[type=submit]');
    assert.match(await objector.main(), /received/i);

    // The draw: what its plan only commits to.
    const clerk = await Person.open(browser, office);
    const lead = (until) => follow(clerk.page, office, COUNTY, { prefix: '/en', clicks: 0, until });
    await lead((next) => next.kind === 'draw.revealed');
    const before = office.log();
    await secrets.cookies(clerk);

    // A scorebook with words in every field.
    await lead((next) => next.kind === 'score.submitted');
    await clerk.go(`/work/${COUNTY}`);
    await clerk.press('.next-step .button.primary');
    await fill(clerk.page, 3);
    const remarks = await clerk.page.locator('form.act textarea').all();
    assert.ok(remarks.length > 20);
    for (const [index, area] of remarks.entries()) await area.fill(secrets.keep('a remark', `Remark ${index} of a sealed scorebook`));
    await clerk.press('form.act .buttons .primary');
    await clerk.press('form:has(input[name=demo]) button');
    assert.match(clerk.page.url(), /\/records\/\d+$/);
    await secrets.cookies(clerk);
    await lead((next) => next.kind === 'ballot.cast');
    await secrets.cookies(clerk);
    const { done } = await lead(() => false);
    await clerk.go(`/editions/${COUNTY}`);
    assert.match(await clerk.main(), /This edition is finished/);

    // A token for programs; with it the secrets of the draws are read, now that they are published.
    const { token } = await (await fetch(`${office.address}/demo/token`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ subject: 'p:0001' }),
    })).json();
    secrets.keep('a token', token);
    const drawn = [];
    for (let seq = 0; ; seq += 1) {
      const response = await fetch(`${office.address}/api/v1/logs/${COUNTY}/records/${seq}`, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) break;
      const text = await response.text();
      if (text.includes('"draw.revealed"')) drawn.push(...text.match(/"secrets":\s*\[[^\]]*\]/)[0].match(/[0-9a-f]{64}/g));
    }
    assert.ok(drawn.length > 0);
    assert.deepEqual(drawn.filter((secret) => Secrets.finds(before, secret)), [], 'no secret of a draw before it is revealed');

    const log = office.log();
    const count = secrets.absent(log, 30);
    // Marks are short numbers: no field of a scorebook is named at all.
    for (const field of ['percent:', 'percent%3A', 'strengths:', 'strengths%3A']) assert.ok(!log.includes(field), field);
    heard(log, '/work/{first}/{second}/{kind}/{case}', '/editions/{programme}/{edition}/notices/{notice}', '/work/sign/{id}');
    console.log(`# ${done.length} steps, ${count} secrets, ${(log.length / 1024).toFixed(0)} KiB of log`);
  } finally {
    office.stop();
  }
});

test('a whole account: invitation, password, codes, key, recovery, tokens', { timeout: 180_000 }, async () => {
  const { place, officers } = found();
  const invited = heng('invite', '--data', place, '--person', 'p:0001', '--email', 'zhang@example.cn', '--lang', 'en');
  assert.equal(invited.code, 0, invited.err);
  const office = await serveOffice(place, { settings: FILE, verbose: true });
  const secrets = new Secrets();
  const invitation = (link) => { secrets.keep('an invitation', link.match(/\/invitations\/([^/\s]+)$/)[1]); return link; };
  try {
    const [first, second] = [await Person.open(browser, office), await Person.open(browser, office)];
    await first.go(invitation(invited.out.match(/\/invitations\/\S+/)[0]));
    await first.press('main form button');
    await secrets.cookies(first);
    await first.page.locator('summary', { hasText: 'Set a password' }).click();
    await first.page.fill('input[name=password]', secrets.keep('a password', 'correct horse battery staple'));
    await first.press('form[action$="/account/password"] button');
    const secret = secrets.keep('a secret of an authenticator', await first.page.locator('code.secret').innerText());
    await first.page.fill('input[name=code]', secrets.keep('a code', code(secret)));
    await first.press('form[action$="/password/finish"] button');
    await secrets.cookies(first);
    await first.importKey(secrets.keep('a private key', officers[0].seed));
    // Again with password and code, wrong and right.
    await first.signOut();
    for (const password of ['a wrong horse of batteries', 'correct horse battery staple']) {
      await first.go('/sign-in');
      await first.page.locator('details summary', { hasText: 'password' }).click();
      await first.page.fill('input[name=login]', 'zhang@example.cn');
      await first.page.fill('input[name=password]', secrets.keep('a password', password));
      await first.page.fill('input[name=code]', secrets.keep('a code', code(secret, 1)));
      await first.press('form[action$="/sign-in"]:has([name=password]) button');
    }
    assert.match(first.page.url(), /\/en\/work$/);
    await secrets.cookies(first);

    await second.accept(invitation(officers[1].link));
    await secrets.cookies(second);
    await second.importKey(secrets.keep('a private key', officers[1].seed));
    // A colleague is registered, invited, and let in again after losing the device.
    await second.open('office/log', 'person.registered');
    await second.page.fill('input[name=name]', '王五');
    await second.page.check('input[name=public_name]');
    await second.press('form.act .buttons .primary');
    await second.sign();
    const third = await Person.open(browser, office);
    await third.accept(invitation(await second.invite('p:0003', '王五', 'wang@example.cn')));
    await secrets.cookies(third);
    await second.go('/account/people');
    const row = second.page.locator('tr', { hasText: '王五' }).filter({ has: second.page.locator('form') });
    await row.locator('input[name=reason]').fill('lost phone');
    await second.press(row.locator('form[action$="/people/recover"] button'));
    await first.go('/account/people');
    await first.press('form[action$="/people/confirm"] button');
    const anew = await Person.open(browser, office);
    await anew.accept(invitation(await first.page.locator('#invitation-link').innerText()));
    await secrets.cookies(anew);
    // A token for programs, and what it opens.
    await second.go('/account');
    const form = second.page.locator('form[action$="/account/tokens"]');
    await second.page.locator('details.more summary', { hasText: /token/i }).click();
    await form.locator('input[name=name]').fill('spreadsheet');
    await second.press(form.locator('button'));
    const token = secrets.keep('a token', await second.page.locator('code.secret').innerText());
    const me = await fetch(`${office.address}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(me.status, 200);

    const log = office.log();
    const count = secrets.absent(log, 15);
    heard(log, '/invitations/{token}', '/sign-in', '/account/password/finish', '/account/tokens', '/account/people/confirm');
    console.log(`# ${count} secrets, ${(log.length / 1024).toFixed(0)} KiB of log`);
  } finally {
    office.stop();
  }
});

/** The log is a full one: it names what is harmless of the same requests, so that what it does not name says something. */
function heard(log, ...paths) {
  for (const path of paths) assert.match(log, new RegExp(`POST.*path.*${path.replace(/[{}/]/g, '.')}.*status`), path);
}
