// A newcomer at the desk: knows nothing of the award, reads the next step, fills in what is asked, and signs.

/** Fills the form on the page in, as somebody would who only reads the labels. Returns the names of its fields. */
export async function fill(page, seed = 0) {
  return page.evaluate((seed) => {
    const form = document.querySelector('form.act');
    if (!form) return [];
    const names = [];
    const today = document.querySelector('time')?.dateTime?.slice(0, 10);
    const day = (back) => { const d = new Date(today ?? Date.now()); d.setDate(d.getDate() - back); return d.toISOString().slice(0, 10); };
    const set = (field, value) => { if (!field.value) field.value = value; };
    for (const field of form.querySelectorAll('input:not([type=hidden]), textarea, select')) {
      const name = field.name;
      if (!name || names.includes(name)) continue;
      names.push(name);
      const optional = field.closest('.field')?.querySelector('.optional');
      if (field.type === 'radio') {
        const all = [...form.querySelectorAll(`input[name="${CSS.escape(name)}"]`)];
        if (!all.some((one) => one.checked)) all[0].checked = true;
      } else if (field.type === 'checkbox') {
        const all = [...form.querySelectorAll(`input[name="${CSS.escape(name)}"]`)];
        if (!optional && !all.some((one) => one.checked)) all[0].checked = true;
      } else if (field.tagName === 'SELECT') {
        if (!field.value) field.selectedIndex = 1;
      } else if (name === 'figures') {
        field.value = field.value.split('\n').filter(Boolean).map((line) => `${line.split('\t')[0]}\t1200.50\t90\t30\t120`).join('\n');
      } else if (field.type === 'date') {
        set(field, name.endsWith('since') ? '2001-02-03' : name.endsWith('from') ? day(30) : day(1));
      } else if (field.type === 'datetime-local') {
        set(field, `${day(-1)}T12:00`);
      } else if (name.startsWith('value')) {
        set(field, '03,09,14,21,26,30|07');
      } else if (/^percent|^mark/.test(name)) {
        set(field, String(55 + 5 * (seed % 8)));
      } else if (/(part|whole|count|asked|satisfied)$/.test(name)) {
        set(field, '90');
      } else if (name === 'number') {
        set(field, '云政〔2026〕12号');
      } else if (field.tagName === 'TEXTAREA') {
        if (!optional) set(field, '虚构内容，仅供测试。');
      } else if (!optional || name.endsWith('source')) {
        set(field, '部门复函（虚构）');
      }
    }
    return names;
  }, seed);
}

/** Enters the demonstration as somebody, and goes to a page. */
export async function enter(page, office, subject, next = '/work', prefix = '') {
  await page.goto(`${office.address}${prefix}/sign-in`);
  await page.evaluate(([action, fields]) => {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = action;
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement('input');
      input.name = name;
      input.value = value;
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }, [`${prefix}/demo/enter`, { subject, next: `${prefix}${next}` }]);
  await page.waitForURL(`${office.address}${prefix}${next}`, { waitUntil: 'domcontentloaded' });
}

/** Lets days pass. */
export async function pass(page, office, days = 1, prefix = '') {
  await page.goto(`${office.address}${prefix}/demo`);
  await press(page, page.locator(`button[name=days][value="${days}"]`));
}

/** Presses something that leads to another page. */
export async function press(page, button) {
  await Promise.all([page.waitForNavigation({ waitUntil: 'domcontentloaded' }), button.click()]);
}

/** What a page says is wrong, as an error. */
async function sound(page, what) {
  for (const wrong of ['#errors', '[role=alert]']) {
    const found = page.locator(wrong);
    if (await found.count()) throw new Error(`${what} (${page.url()}): ${await found.first().innerText()}`);
  }
}

/** Fills the form of the page in, checks it and signs, as somebody would who only reads. */
export async function act(page, what = '', seed = 0) {
  if (await page.locator('form.act').count()) {
    await fill(page, seed);
    await press(page, page.locator('form.act .buttons .primary'));
    await sound(page, what);
  }
  // The page to check the answers.
  const check = page.locator('form:has(input[name=_version]) .buttons button[value=send]');
  if (await check.count()) {
    await press(page, check);
    await sound(page, what);
  }
  const sign = page.locator('form:has(input[name=demo]) button');
  if (await sign.count()) {
    await press(page, sign);
    await sound(page, what);
  }
}

/** Presses the button of “Next step” and does what then comes; what it was, or null if there is nothing to press. */
export async function step(page) {
  const button = page.locator('.next-step .button.primary');
  if (!(await button.count())) return null;
  const what = await page.locator('.next-step .next-text').innerText();
  await press(page, button);
  await sound(page, what);
  const digit = Number((decodeURIComponent(page.url()).match(/(\d)$/) ?? [0, 0])[1]);
  await act(page, what, digit);
  return what;
}

/**
 * Follows “Next step” from the work list of an edition until there is none, whoever it is that has to act: in the
 * demonstration the next step says as whom to enter and when a day must pass. Returns what was done.
 */
export async function follow(page, office, place, { prefix = '', most = 1000, after = () => {} } = {}) {
  const done = [];
  await enter(page, office, 'p:0001', `/work/${place}`, prefix);
  for (;;) {
    const what = await step(page);
    if (what === null) {
      // Back to the edition's list, as the link at the foot of every page says; where that has no next step is the end.
      if (page.url() === `${office.address}${prefix}/work/${place}`) return done;
      await page.goto(`${office.address}${prefix}/work/${place}`);
      continue;
    }
    done.push(what);
    await after(what, done);
    if (done.length > most) throw new Error(`no end after ${most} steps; the last: ${done.slice(-5).join(' | ')}`);
  }
}
