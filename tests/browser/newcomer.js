// A newcomer at the desk: knows nothing of the award, reads the next step, fills in what is asked, and signs.

/** Fills a form in, as somebody would who only reads the labels. Runs in the page; `root` is its document, or one that it fetched. */
function answer(root, seed) {
  const form = root.querySelector('form.act');
  if (!form) return [];
  const names = [];
  const today = root.querySelector('time')?.dateTime?.slice(0, 10);
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
    } else if (field.closest('table.grid')) {
      // Rows that have a name, e.g. a year, are filled in; tables that may stay empty stay so.
      for (const row of optional ? [] : field.closest('table.grid').tBodies[0].rows) {
        const cells = [...row.querySelectorAll('input')];
        if (cells[0].value) cells.slice(1).forEach((cell, n) => set(cell, ['1200.50', '90', '30', '120'][n] ?? '1'));
      }
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
}

/** Fills the form of the page in. Returns the names of its fields. */
export async function fill(page, seed = 0) {
  return page.evaluate(`(${answer})(document, ${seed})`);
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
  try {
    await Promise.all([page.waitForNavigation({ waitUntil: 'domcontentloaded', timeout: 15_000 }), button.click()]);
  } catch (error) {
    throw new Error(`${error.message.split('\n')[0]} at ${page.url()}: ${await page.locator('main').innerText()}`);
  }
}

/** What a page says is wrong, as an error. */
async function sound(page, what) {
  for (const wrong of ['#errors', '[role=alert]']) {
    const found = page.locator(wrong);
    if (await found.count()) throw new Error(`${what} (${page.url()}): ${await found.first().innerText()}`);
  }
}

/** Fills a long form in, part by part, and presses the button that checks it. */
export async function fillParts(page, seed = 0, also = () => {}) {
  const parts = await page.locator('.task-list li').count();
  await press(page, page.locator('.task-list a').first());
  for (let part = 0; part < parts; part += 1) {
    await fill(page, seed);
    await also(part);
    await press(page, page.locator('form.act .buttons .primary'));
  }
  await press(page, page.locator('form.act-list button[value=check]'));
}

/** Fills the form of the page in, checks it and signs, as somebody would who only reads. */
export async function act(page, what = '', seed = 0) {
  // A long form is filled in part by part, from its list of tasks.
  if (await page.locator('.task-list').count()) {
    await fillParts(page, seed);
    await sound(page, what);
  } else if (await page.locator('form.act').count()) {
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

/** What the list of an edition says comes next, without going there. Runs in the page. */
async function look(address) {
  const response = await fetch(address);
  const doc = new DOMParser().parseFromString(await response.text(), 'text/html');
  const button = doc.querySelector('.next-step .button.primary');
  if (!button) return doc.querySelector('.countdown') ? { waits: true } : null;
  const href = button.getAttribute('href') ?? button.form.getAttribute('action');
  const fields = button.form ? Object.fromEntries(new FormData(button.form)) : null;
  const text = doc.querySelector('.next-step .next-text').textContent;
  const parts = href.replace(/^\/en/, '').split('/');
  const kind = parts[2] === 'sign' ? `sign ${text}` : parts.length > 4 ? parts[4] : href.replace(/^\/en/, '');
  return { href, fields, kind, text };
}

/** Does what comes next by the same requests that the buttons make, without drawing pages. Runs in the page. */
async function quickly(next, seed, answer) {
  const send = async (address, body) => {
    const response = await fetch(address, body ? { method: 'POST', body: new URLSearchParams(body) } : {});
    const doc = new DOMParser().parseFromString(await response.text(), 'text/html');
    const wrong = doc.querySelector('#errors, [role=alert]');
    if (wrong || !response.ok) throw new Error(`${next.text} (${response.url}, ${response.status}): ${(wrong ?? doc.querySelector('main'))?.textContent}`);
    return doc;
  };
  let doc = await send(next.href, next.fields);
  if (next.fields) return;
  const parts = [...doc.querySelectorAll('.task-list a')].map((link) => link.getAttribute('href'));
  for (const part of parts) {
    doc = await send(part);
    const form = doc.querySelector('form.act');
    answer(doc, seed);
    const button = form.querySelector('.buttons .primary');
    await send(form.getAttribute('action'), [...new FormData(form), [button.name, button.value]]);
  }
  if (parts.length) {
    doc = await send(next.href);
    const button = doc.querySelector('form.act-list .primary');
    doc = await send(next.href, [...new FormData(button.form), [button.name, button.value]]);
  }
  const form = doc.querySelector('form.act');
  if (form) {
    answer(doc, seed);
    const button = form.querySelector('.buttons .primary');
    doc = await send(form.getAttribute('action'), [...new FormData(form), [button.name, button.value]]);
  }
  const check = doc.querySelector('form:has(input[name=_version]) .buttons button[value=send]');
  if (check) doc = await send(check.form.getAttribute('action'), [...new FormData(check.form), [check.name, check.value]]);
  const sign = doc.querySelector('form:has(input[name=demo])');
  if (sign) await send(sign.getAttribute('action'), [...new FormData(sign)]);
}

/** The same number for everybody who judges the same applicant: the last of its number. */
const digit = ({ href }, at) => Number((decodeURIComponent(href).match(/(\d)$/) ?? [0, at])[1]);

/**
 * Follows “Next step” of an edition to its end, whoever it is that has to act: in the demonstration the next step says as
 * whom to enter and when a day must pass. Each kind of act is done `clicks` times by pressing what the pages show, the
 * rest by the same requests without drawing. Ends before a step of which `until` says so. `judge` says what number decides
 * how a form is filled in. Returns what was done, how often each kind, and who is signed in.
 */
export async function follow(page, office, place, { prefix = '', clicks = Infinity, most = 3000, until = () => false, judge = digit } = {}) {
  const home = `${office.address}${prefix}/work/${place}`;
  let list = home;
  const kinds = new Map();
  const done = [];
  let who = 'p:0001';
  await enter(page, office, 'p:0001', `/work/${place}`, prefix);
  for (;;) {
    const next = await page.evaluate(look, list);
    // The chair waits while the members compare; the page says by itself when that is over.
    if (next?.waits) { await new Promise((done) => { setTimeout(done, 1000); }); continue; }
    if (!next && list === home) return { done, kinds, who };
    if (!next) { list = home; continue; }
    if (until(next)) return { done, kinds, who };
    const count = kinds.get(next.kind) ?? 0;
    kinds.set(next.kind, count + 1);
    const seed = judge(next, done.length);
    if (count < clicks) {
      if (page.url() !== list) await page.goto(list, { waitUntil: 'domcontentloaded' });
      else await page.reload({ waitUntil: 'domcontentloaded' });
      await step(page);
    } else {
      await page.evaluate(`(${quickly})(${JSON.stringify(next)}, ${seed}, ${answer})`);
    }
    done.push(next.text);
    // Who enters may have to act in the office log, and then the edition goes on.
    if (next.fields?.next) list = office.address + next.fields.next;
    who = next.fields?.subject ?? who;
    if (done.length > most) throw new Error(`no end after ${most} steps; the last: ${done.slice(-5).join(' | ')}`);
  }
}

/**
 * Presses “Next step” and nothing else, also after each act, until there is none or `until` says so.
 */
export async function pressOn(page, office, place, { prefix = '', until = () => false, most = 1000 } = {}) {
  const list = `${office.address}${prefix}/work/${place}`;
  const done = [];
  await enter(page, office, 'p:0001', `/work/${place}`, prefix);
  for (;;) {
    const what = await step(page);
    if (what !== null) {
      done.push(what);
      if (until(what)) return done;
    } else if (await page.locator('.countdown').count()) {
      await page.waitForFunction(() => !document.querySelector('.countdown'));
    } else if (page.url() === list) {
      return done;
    } else {
      // Back to the edition's list, as the link at the foot of every page says; where that has no next step is the end.
      await page.goto(list, { waitUntil: 'domcontentloaded' });
    }
    if (done.length > most) throw new Error(`no end after ${most} steps; the last: ${done.slice(-5).join(' | ')}`);
  }
}
