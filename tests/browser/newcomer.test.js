// Somebody who has never seen Heng leads an unfinished edition to its end, by nothing but “Next step”.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { follow } from './newcomer.js';
import { heng, startBrowser, startOffice } from './office.js';

const PLACE = 'yunchuan-mayor/2026';
let browser;

before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

for (const [name, prefix] of [['Chinese', ''], ['English', '/en']]) {
  test(`a newcomer leads the vote to its result and to its end, in ${name}`, { timeout: 240_000 }, async () => {
    const office = await startOffice();
    try {
      const context = await browser.newContext({ reducedMotion: 'reduce' });
      const page = await context.newPage();
      const begun = Date.now();
      const done = await follow(page, office, PLACE, { prefix });
      const seconds = (Date.now() - begun) / 1000;
      if (process.env.HENG_STEPS) console.log(done.map((what, n) => `# ${n + 1} ${what}`).join('\n'));
      console.log(`# ${name}: ${done.length} steps in ${seconds.toFixed(1)} s, ${(seconds / done.length).toFixed(2)} s each`);
      await page.goto(`${office.address}${prefix}/editions/${PLACE}`);
      assert.match(await page.locator('main .sentence').first().innerText(), prefix ? /This edition is finished/ : /本届已经完成/);
      await context.close();
      await office.end();
      const bundle = join(office.data, '../bundle.tar');
      const bundled = heng('bundle', '--data', office.data, '--edition', PLACE, '--out', bundle);
      assert.equal(bundled.code, 0, bundled.err);
      const verified = heng('verify', bundle, '--lang', 'en');
      assert.equal(verified.code, 0, verified.out + verified.err);
      const doctor = heng('doctor', '--data', office.data);
      assert.equal(doctor.code, 0, doctor.out + doctor.err);
    } finally {
      office.stop();
    }
  });
}
