// Signing in at the office's own identity provider, a real one on loopback (tests/oidc): somebody known, somebody unknown,
// a provider that is down, one who turns back, and signing out.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { press } from './newcomer.js';
import { serveOffice, startBrowser } from './office.js';
import { found, Person } from './people.js';

const SECRET = 'a-secret-of-the-office-at-its-provider';
let browser;
before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

/** A port at which nobody listens. */
function free() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => done(port)); });
  });
}

/** Starts the provider at `port`, for an office at `address`. */
function provide(port, address) {
  const provider = spawn('node', ['provider.js'], {
    cwd: fileURLToPath(new URL('../oidc', import.meta.url)),
    env: { ...process.env, CLIENT_SECRET: SECRET, PORT: String(port), REDIRECT: `${address}/sign-in/provider/back` },
  });
  let said = '';
  provider.stderr.on('data', (chunk) => { said += chunk; });
  return new Promise((done, failed) => {
    provider.stdout.on('data', (chunk) => { if (String(chunk).startsWith('http')) done(provider); });
    provider.on('exit', (code) => failed(new Error(`the provider ended with ${code} (was npm ci --prefix tests/oidc run?): ${said}`)));
  });
}

async function end(provider) {
  provider.removeAllListeners('exit');
  const over = new Promise((done) => { provider.on('exit', done); });
  provider.kill('SIGKILL');
  await over;
}

/** At the provider: gives a name, agrees, until it leads back. */
async function visit(page, name, office) {
  for (let n = 0; n < 4 && !page.url().startsWith(office.address); n += 1) {
    if (await page.locator('input[name=login]').count()) {
      await page.fill('input[name=login]', name);
      await page.fill('input[name=password]', 'x');
    }
    await press(page, page.locator('button[type=submit]'));
  }
  assert.ok(page.url().startsWith(office.address), page.url());
}

/** What the provider's pages lead to, without going there: the address with which it sends somebody back. */
async function wayBack({ request }, address, office) {
  for (let n = 0; n < 12 && !address.startsWith(office.address); n += 1) {
    let answer = await request.get(address, { maxRedirects: 0 });
    if (answer.status() === 200) {
      const prompt = (await answer.text()).includes('name="login"') ? 'login' : 'consent';
      answer = await request.post(address, { form: { prompt, login: 'zhang', password: 'x' }, maxRedirects: 0 });
    }
    address = new URL(answer.headers().location, address).href;
  }
  assert.match(address, /\/sign-in\/provider\/back\?code=/);
  return address;
}

test('known, unknown, turned back, out of reach, signed out', { timeout: 180_000 }, async () => {
  const { place, officers } = found();
  const port = await free();
  const office = await serveOffice(place, { settings: `[oidc]\nissuer = "http://127.0.0.1:${port}"\nclient_id = "heng-ES256"\nclient_secret = "${SECRET}"\n` });
  let provider;
  try {
    const toProvider = async (one) => { await one.go('/sign-in'); await one.press('main a[href$="/sign-in/provider"]'); };
    /** The sign-in page says what is wrong, and the other ways are there. */
    const refused = async (one, sentence) => {
      assert.match(await one.page.locator('[role=alert]').innerText(), sentence);
      assert.equal(await one.page.getAttribute('html', 'lang'), 'en', 'in the language in which it began');
      assert.equal(await one.page.locator('#passkey button').count(), 1);
      assert.equal(await one.page.locator('main a[href$="/sign-in/provider"]').count(), 1);
    };
    // The provider is not there.
    const guest = await Person.open(browser, office);
    await toProvider(guest);
    await refused(guest, /identity provider cannot be reached.*Try again later, or sign in with a passkey/);
    provider = await provide(port, office.address);

    // Somebody whom nobody has invited.
    await toProvider(guest);
    await visit(guest.page, 'stranger', office);
    await refused(guest, /No account is bound to this identity\. Open your invitation link/);
    await guest.go('/work');
    assert.match(guest.page.url(), /\/sign-in/);

    // An officer binds the identity with the invitation, and is signed in.
    const officer = await Person.open(browser, office);
    await officer.go(officers[0].link);
    await officer.press('main form button');
    await officer.press('main a[href$="/sign-in/provider"]');
    await visit(officer.page, 'zhang', office);
    await officer.go('/work');
    assert.match(officer.page.url(), /\/en\/work$/);
    assert.match(await officer.page.locator('.who').innerText(), /张三/);

    // Signed out, and in again from another browser, where the provider asks for the name.
    await officer.signOut();
    await officer.go('/account');
    assert.match(officer.page.url(), /\/sign-in\?next=/);
    const elsewhere = await Person.open(browser, office);
    await toProvider(elsewhere);
    await visit(elsewhere.page, 'zhang', office);
    assert.match(elsewhere.page.url(), /\/en\/work$/);
    assert.match(await elsewhere.page.locator('.who').innerText(), /张三/);
    // And in the browser where the provider knows the person already.
    await toProvider(officer);
    await visit(officer.page, 'zhang', office);
    assert.match(officer.page.url(), /\/en\/work$/);
    await officer.signOut();

    // Somebody turns back at the provider.
    const shy = await Person.open(browser, office);
    await toProvider(shy);
    await press(shy.page, shy.page.locator('a', { hasText: /abort|cancel/i }));
    await refused(shy, /did not sign you in\. Begin again, or sign in another way/);

    // The provider dies while somebody is on the way back: the answer cannot be checked.
    await toProvider(shy);
    const back = await wayBack(shy.context, shy.page.url(), office);
    await end(provider);
    await shy.page.goto(back);
    await refused(shy, /identity provider cannot be reached/);
    // A link that somebody else began leads nowhere.
    await guest.page.goto(`${office.address}/en/sign-in/provider/back?state=x&code=y`);
    await refused(guest, /did not begin here/);
  } finally {
    provider?.kill('SIGKILL');
    office.stop();
  }
});
