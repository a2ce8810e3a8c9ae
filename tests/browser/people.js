// Somebody with a browser of their own and a device for passkeys, in an office that is no demonstration.
import { createECDH, createHmac, createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enter, press } from './newcomer.js';
import { authenticator, folder, heng } from './office.js';

/** Founds an office with two officers; returns where it lies, their keys and their invitations. */
export function found() {
  const home = folder();
  const place = join(home, 'office');
  const keys = join(home, 'keys');
  const { code, out, err } = heng(
    'init', '--data', place, '--log', 'quality.example/office', '--name-zh', '试点市质量奖办公室', '--name-en', 'Pilot City Quality Office',
    '--officer', '张三', '--officer', '李四', '--officer-keys', keys, '--lang', 'en',
  );
  if (code !== 0) throw new Error(err);
  const links = [...out.matchAll(/\((p:\d+)\).*?(\/invitations\/\S+)/g)];
  return {
    place,
    officers: links.map(([, person, link]) => ({ person, link, seed: readFileSync(join(keys, `${person.replace(':', '-')}.key`), 'utf8') })),
  };
}

/** A code of an authenticator app (RFC 6238), `ahead` steps from now. */
export function code(secret, ahead = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const letter of secret.replace(/[\s=]/g, '')) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac('sha1', key).update(step).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

export class Person {
  static async open(browser, office, { prefix = '/en', ...options } = {}) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const own = new Person();
    Object.assign(own, { context, page, office, prefix, device: await authenticator(page) });
    return own;
  }

  /** Somebody of a demonstration, signed in and at a page. */
  static async enter(browser, office, subject, path = '/work', options = {}) {
    const own = await Person.open(browser, office, { prefix: '/en', ...options });
    await enter(own.page, office, subject, path, own.prefix);
    return own;
  }

  async go(path) {
    return this.page.goto(`${this.office.address}${this.prefix}${path}`, { waitUntil: 'domcontentloaded' });
  }

  press(selector) {
    return press(this.page, typeof selector === 'string' ? this.page.locator(selector) : selector);
  }

  /** Opens an invitation and makes a passkey: both by pressing what the pages offer. */
  async accept(link) {
    await this.go(link.replace(/^.*(?=\/invitations\/)/, ''));
    await this.press('main form button');
    await this.press('#passkey button');
  }

  /** From now on holds another device: one whose only passkey has this secret, as 64 hexadecimal digits. */
  async hold(seed) {
    const { device, authenticatorId } = this.device;
    await device.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
    this.device = await authenticator(this.page);
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(seed, 'hex');
    const point = pair.getPublicKey();
    const [d, x, y] = [Buffer.from(seed, 'hex'), point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
    const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' });
    await this.device.device.send('WebAuthn.addCredential', {
      authenticatorId: this.device.authenticatorId,
      credential: {
        credentialId: randomBytes(16).toString('base64'), isResidentCredential: true, rpId: 'localhost', signCount: 1,
        privateKey: key.export({ type: 'pkcs8', format: 'der' }).toString('base64'), userHandle: randomBytes(16).toString('base64'),
      },
    });
  }

  async signIn() {
    await this.go('/sign-in');
    await this.press('#passkey button');
  }

  async signOut() {
    await this.press('.who form button');
  }

  /** Imports the content of a key file into this browser. */
  async importKey(seed) {
    await this.go('/account/keys');
    const form = this.page.locator('form.import-key').first();
    await form.locator('summary').click();
    await form.locator('input[name=seed]').fill(seed);
    await form.locator('button').click();
    await form.locator('.import-key-status:not(:empty)').waitFor();
    return form.locator('.import-key-status').innerText();
  }

  /** Opens an act under “other acts” of a log. */
  async open(place, kind) {
    await this.go(`/work/${place}`);
    await this.page.locator('details.more summary').first().click();
    await this.press(this.page.locator(`a[href*="/${kind}/"]`).first());
  }

  /** Chooses an answer, whichever way the form offers the list. */
  async choose(name, value) {
    const list = this.page.locator(`select[name="${name}"]`);
    if (await list.count()) await list.selectOption(value);
    else await this.page.check(`input[name="${name}"][value="${value}"]`);
  }

  /** Signs with this device. */
  async sign() {
    await this.press('#sign button');
  }

  /** Signs what the next step of a log asks for. */
  async next(place = 'office/log') {
    await this.go(`/work/${place}`);
    await this.press('.next-step .button.primary');
    if (await this.page.locator('form.act').count()) await this.press('form.act .buttons .primary');
    await this.sign();
  }

  main() {
    return this.page.locator('main').innerText();
  }

  /** An officer's invitation link for somebody. */
  async invite(person, name, email = '') {
    await this.go('/account/people');
    await this.choose('subject', person);
    await this.page.fill('input[name=name]', name);
    if (email) await this.page.fill('input[name=email]', email);
    await this.press('form:has([name=subject]):has(input[name=email]) button');
    return this.page.locator('#invitation-link').innerText();
  }
}
