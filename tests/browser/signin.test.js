// Signing in: invitations, passkeys, password and codes, recovery, sessions; and the whole of key enrolment in a real office.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enter, pass } from './newcomer.js';
import { heng, serveOffice, startBrowser, startOffice } from './office.js';
import { code, found, Person } from './people.js';

let browser;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

test('a real office: officers come in, a person is registered, gets a role and a key, and signs with it', { timeout: 180_000 }, async () => {
  const { place, officers } = found();
  let office = await serveOffice(place);
  try {
    const [first, second] = await Promise.all([Person.open(browser, office), Person.open(browser, office)]);
    for (const [person, { link, seed }] of [[first, officers[0]], [second, officers[1]]]) {
      await person.go(link);
      assert.match(await person.main(), /Hello (张三|李四)/);
      await person.press('main form button');
      // Before a way to sign in is set nothing else opens.
      await person.go('/work');
      assert.match(person.page.url(), /\/en\/account\/keys$/);
      assert.match(await person.main(), /Set one way to sign in first/);
      await person.press('#passkey button');
      assert.match(await person.page.locator('.who').innerText(), /张三|李四/);
      const imported = await person.importKey(seed);
      const known = await person.page.locator('section:has(.tag.done) code').first().innerText();
      assert.ok(imported.includes(known), `${imported} is ${known}`);
      await person.importKey('not a key').then((said) => assert.match(said, /not a key/));
    }

    // A person is registered, signed by the browser's key.
    await first.open('office/log', 'person.registered');
    await first.page.fill('input[name=name]', '王五');
    await first.page.check('input[name=public_name]');
    await first.press('form.act .buttons .primary');
    assert.match(await first.main(), /王五/);
    await first.sign();
    assert.match(first.page.url(), /\/records\/\d+$/);

    // A role needs two officers.
    await first.open('office/log', 'role.granted');
    await first.choose('person', 'p:0003');
    await first.choose('role', 'officer');
    await first.page.fill('input[name=until]', `${new Date().getFullYear() + 3}-12-31`);
    await first.press('form.act .buttons .primary');
    await first.sign();
    assert.match(first.page.url(), /\/work\/sign\//);
    await second.next();
    assert.match(second.page.url(), /\/records\/\d+$/);

    // The person comes in by an invitation and offers the passkey.
    const link = await first.invite('p:0003', '王五', 'wang@example.cn');
    // The security chip of this computer makes RSA keys only.
    const third = await Person.open(browser, office);
    await third.page.addInitScript(() => {
      const create = navigator.credentials.create.bind(navigator.credentials);
      navigator.credentials.create = (options) => {
        options.publicKey.pubKeyCredParams = options.publicKey.pubKeyCredParams.filter(({ alg }) => alg === -257);
        return create(options);
      };
    });
    await third.accept(link);
    await third.go('/account/keys');
    await third.press('form:has(select[name=credential]) button');
    assert.match(await third.main(), /offered/);
    const print = (await third.main()).match(/[0-9a-f]{4}(-[0-9a-f]{4}){3}/)[0];

    // Two officers compare the fingerprint and enrol it; the person confirms with the passkey itself.
    await first.go('/work/office/log');
    assert.match(await first.page.locator('.next-step').innerText(), new RegExp(print));
    await first.next();
    assert.match(await first.page.locator('pre.exact').textContent(), /"key":"webauthn-rs256:localhost:/);
    await second.next();
    assert.match(second.page.url(), /\/records\/\d+$/);
    await third.next();
    assert.match(third.page.url(), /\/records\/\d+$/);
    await third.go('/account/keys');
    assert.match(await third.main(), /counts/);

    // The first act of their own that is signed with it.
    await third.open('office/log', 'person.registered');
    await third.page.fill('input[name=name]', '赵六');
    await third.page.check('input[name=public_name]');
    await third.press('form.act .buttons .primary');
    // A log that is not the one that this device saw, or is shorter, or has another key, is not signed upon.
    const seen = 'heng-seen:quality.example/office', pinned = 'heng-log-key:quality.example/office';
    const store = (name, value) => third.page.evaluate(([name, value]) => {
      const before = localStorage.getItem(name);
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
      return before;
    }, [name, value]);
    const own = JSON.parse(await store(seen, null));
    assert.ok(own.size > 3 && /^[0-9a-f]{64}$/.test(own.root), 'the device remembers what it has verified');
    const forks = [[seen, { size: 3, root: '0'.repeat(64) }], [seen, { ...own, root: '1'.repeat(64) }], [seen, { size: 9999, root: own.root }]];
    for (const [name, value] of [...forks.map(([name, value]) => [name, JSON.stringify(value)]), [pinned, 'quality.example/office+00000000+AQ==']]) {
      const before = await store(name, value);
      await third.page.click('#sign button');
      await third.page.locator('#sign-status', { hasText: 'differs from what this device saw' }).waitFor();
      await store(name, before);
    }
    await store(seen, JSON.stringify(own));
    await third.sign();
    assert.match(third.page.url(), /\/records\/\d+$/);
    assert.match(await third.main(), /赵六/);
    assert.ok(JSON.parse(await store(seen, null)).size > own.size);

    // Signed out, and in again without a name.
    await third.signOut();
    await third.go('/work');
    assert.match(third.page.url(), /\/sign-in\?next=/);
    await third.press('#passkey button');
    assert.match(third.page.url(), /\/en\/work$/);

    // Two officers let somebody in again who lost the device.
    await first.go('/account/people');
    const row = first.page.locator('tr', { hasText: '王五' }).filter({ has: first.page.locator('form') });
    await row.locator('input[name=reason]').fill('lost phone');
    await first.press(row.locator('form[action$="/people/recover"] button'));
    await first.press(first.page.locator('form[action$="/people/confirm"] button').first());
    assert.match(await first.page.locator('[role=alert]').innerText(), /two different officers/);
    await second.go('/account/people');
    await second.press('form[action$="/people/confirm"] button');
    const again = await second.page.locator('#invitation-link').innerText();
    await third.go('/work');
    assert.match(third.page.url(), /\/sign-in/, 'the old sessions have ended');
    await third.page.locator('#passkey button').click();
    await third.page.locator('#passkey-status:not(:empty)').waitFor();
    assert.match(await third.page.locator('#passkey-status').innerText(), /not known here/);
    const anew = await Person.open(browser, office);
    await anew.accept(again);
    await anew.go('/work');
    assert.match(anew.page.url(), /\/en\/work$/);

    // Without scripts too nothing was lost: a restart replays all of it, and the doctor finds it sound.
    await office.end();
    const doctor = heng('doctor', '--data', place, '--lang', 'en');
    assert.equal(doctor.code, 0, doctor.out + doctor.err);
    office = await serveOffice(place);
    assert.equal((await fetch(`${office.address}/log/office/checkpoint`)).status, 200);
  } finally {
    office.stop();
  }
});

test('password and codes: set with the invitation, then signing in, wrong ones lock for a time', { timeout: 120_000 }, async () => {
  const { place, officers } = found();
  const invited = heng('invite', '--data', place, '--person', 'p:0001', '--email', 'zhang@example.cn', '--lang', 'en');
  assert.equal(invited.code, 0, invited.err);
  const office = await serveOffice(place);
  try {
    const zhang = await Person.open(browser, office);
    await zhang.go(invited.out.match(/\/invitations\/\S+/)[0]);
    await zhang.press('main form button');
    await zhang.page.locator('summary', { hasText: 'Set a password' }).click();
    await zhang.page.fill('input[name=password]', 'short');
    await zhang.press('form[action$="/account/password"] button');
    assert.match(await zhang.page.locator('[role=alert]').innerText(), /5 characters, and needs 12/);
    await zhang.page.fill('input[name=password]', 'a sentence of a few words');
    await zhang.press('form[action$="/account/password"] button');
    const secret = await zhang.page.locator('code.secret').innerText();
    await zhang.page.fill('input[name=code]', code(secret));
    await zhang.press('form[action$="/password/finish"] button');
    assert.match(zhang.page.url(), /\/en\/work$/);
    await zhang.signOut();

    const signIn = async (password, digits) => {
      await zhang.go('/sign-in');
      await zhang.page.locator('details summary', { hasText: 'password' }).click();
      await zhang.page.fill('input[name=login]', 'zhang@example.cn');
      await zhang.page.fill('input[name=password]', password);
      await zhang.page.fill('input[name=code]', digits);
      await zhang.press('form[action$="/sign-in"] button');
    };
    await signIn('a sentence of a few words', code(secret, 1));
    assert.match(zhang.page.url(), /\/en\/work$/);
    await zhang.signOut();
    for (let n = 1; n <= 5; n += 1) {
      await signIn('another sentence of words', code(secret, 1));
      const said = await zhang.page.locator('[role=alert]').innerText();
      assert.match(said, n < 5 ? /is wrong/ : /Too many wrong attempts.*Try again after .*\d\d:\d\d/);
      assert.doesNotMatch(said, /T\d\d:/, 'times are shown as people write them');
      assert.equal(await zhang.page.inputValue('input[name=login]'), 'zhang@example.cn');
    }
    // Also with the right password, until the time is over.
    await signIn('a sentence of a few words', code(secret, 1));
    assert.match(await zhang.page.locator('[role=alert]').innerText(), /Too many wrong attempts/);
    assert.equal(officers.length, 2);
  } finally {
    office.stop();
  }
});

test('sessions: the list names them, one ends another, and signing out everywhere ends all', { timeout: 120_000 }, async () => {
  const office = await startOffice();
  try {
    const here = await Person.open(browser, office);
    const there = await Person.open(browser, office, { prefix: '' });
    const elsewhere = await Person.open(browser, office);
    for (const one of [here, there, elsewhere]) await enter(one.page, office, 'p:0003', '/account', one.prefix);
    await here.go('/account');
    const rows = here.page.locator('section:has(form[action$="/sessions/all"]) tbody tr');
    assert.equal(await rows.count(), 3);
    assert.match(await rows.filter({ hasText: 'this' }).innerText(), /Chrome · Linux/);
    await here.press(rows.filter({ hasNotText: 'this' }).first().locator('button'));
    assert.equal(await rows.count(), 2);
    const alive = async (one) => { await one.go('/account'); return /\/account$/.test(one.page.url()); };
    const living = [await alive(there), await alive(elsewhere)].filter(Boolean).length;
    assert.equal(living, 1, 'exactly the one that was chosen has ended');
    await here.go('/account');
    await here.press('form[action$="/sessions/all"] button');
    for (const one of [here, there, elsewhere]) assert.equal(await alive(one), false);
  } finally {
    office.stop();
  }
});

test('an invitation that is expired, used or cut short says so and what to do', { timeout: 120_000 }, async () => {
  const office = await startOffice();
  try {
    const officer = await Person.open(browser, office);
    await enter(officer.page, office, 'p:0001', '/account/people', '/en');
    const link = await officer.invite('p:0100', 'Clerk of the district (invented)');
    const used = await officer.invite('p:0101', 'Clerk of the county (invented)');
    const guest = await Person.open(browser, office);
    await guest.accept(used);
    await guest.signOut();
    const open = async (path, expected) => {
      const response = await guest.go(path.replace(/^.*\/invitations/, '/invitations'));
      assert.equal(response.status(), 410);
      const said = await guest.main();
      for (const sentence of expected) assert.match(said, sentence);
      assert.doesNotMatch(said, /T\d\d:\d\d/, 'times are shown as people write them');
    };
    await open(used, [/was used at .*each link works once/, /If you have set a way to sign in, sign in/]);
    await pass(officer.page, office, 30, '/en');
    await open(link, [/expired at /, /Ask whoever invited you/]);
    await open('/invitations/abc', [/not valid; perhaps it was not copied in full/]);
  } finally {
    office.stop();
  }
});

test('what is refused at the desk is refused by the rules, not by a hidden button', { timeout: 60_000 }, async () => {
  const office = await startOffice();
  try {
    const member = await Person.open(browser, office);
    await enter(member.page, office, 'p:0011', '/work', '/en');
    const response = await member.go('/work/office/log/person.registered/-');
    assert.equal(response.status(), 404);
    assert.match(await member.main(), /cannot be done now/);
    await member.go('/account/people');
    assert.match(await member.main(), /not/i);
  } finally {
    office.stop();
  }
});
