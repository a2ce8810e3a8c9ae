// Somebody who has never seen Heng leads an unfinished edition to its end, by nothing but “Next step”.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { follow, pressOn } from './newcomer.js';
import { heng, startBrowser, startOffice } from './office.js';

const YEAR = new Date().getFullYear();
let browser;

before(async () => { browser = await startBrowser(); });
after(async () => { await browser?.close(); });

/** An office, a page in it, and how long what is done there takes. */
async function meeting(name, work) {
  const office = await startOffice();
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  try {
    const page = await context.newPage();
    const begun = Date.now();
    const steps = await work(office, page);
    const seconds = (Date.now() - begun) / 1000;
    console.log(`# ${name}: ${steps} steps in ${seconds.toFixed(1)} s, ${(seconds / steps).toFixed(2)} s each`);
  } finally {
    await context.close();
    office.stop();
  }
}

/** The edition is finished and its honours are in the office log; everybody can check it, and the data are sound. */
async function finished(office, page, place, prefix) {
  await page.goto(`${office.address}${prefix}/editions/${place}`);
  assert.match(await page.locator('main .sentence').first().innerText(), prefix ? /This edition is finished/ : /本届已经完成/);
  await office.end();
  const bundle = join(office.data, '../bundle.tar');
  const bundled = heng('bundle', '--data', office.data, '--edition', place, '--out', bundle);
  assert.equal(bundled.code, 0, bundled.err);
  const verified = heng('verify', bundle, '--lang', 'en');
  assert.equal(verified.code, 0, verified.out + verified.err);
  const doctor = heng('doctor', '--data', office.data);
  assert.equal(doctor.code, 0, doctor.out + doctor.err);
}

test('a newcomer leads the vote to its result and to its end, in Chinese', { timeout: 480_000 }, async () => {
  await meeting('中文', async (office, page) => {
    const place = 'yunchuan-mayor/2026';
    const { done } = await follow(page, office, place, { clicks: 8 });
    await finished(office, page, place, '');
    return done.length;
  });
});

test('the same in English, pressing the button alone, to the first result', { timeout: 240_000 }, async () => {
  await meeting('English', async (office, page) => {
    const done = await pressOn(page, office, 'yunchuan-mayor/2026', { prefix: '/en', until: (what) => /^Announce the result/.test(what) });
    assert.match(done.at(-2), /Go back|Freeze/);
    await page.goto(`${office.address}/en/editions/yunchuan-mayor/2026/hall`);
    assert.match(await page.locator('main, body').first().innerText(), /≥|<|≤/);
    return done.length;
  });
});

test('a county edition from its open window to its end; each kind of act at least once by clicking', { timeout: 480_000 }, async () => {
  await meeting('county', async (office, page) => {
    const place = `nanlu-county/${YEAR}`;
    const { done, kinds } = await follow(page, office, place, { prefix: '/en', clicks: 1 });
    const needed = [
      'application.submitted', 'recommendation.given', 'opinions.asked', 'opinion.received', 'condition.checked', 'pre_review.decided',
      'pool.frozen', 'draw.planned', 'draw.revealed', 'panel.formed', 'score.submitted', 'visit.planned', 'visit.logged',
      'visit.reported', 'consensus.agreed', 'scores.computed', 'shortlist.decided', 'roster.frozen',
      'presence.recorded', 'motion.opened', 'ballot.cast', 'motion.closed', 'motion.frozen', 'result.announced', 'selection.decided',
      'minutes.signed', 'notice.published', 'decision.made', 'honour.conferred', 'stage.opened', 'stage.closed', 'edition.closed',
    ];
    console.log(`# ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
    assert.deepEqual(needed.filter((kind) => !kinds.has(kind)), []);
    await finished(office, page, place, '/en');
    return done.length;
  });
});
