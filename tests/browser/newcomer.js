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

/** Enters the demonstration as somebody. */
export async function enter(page, office, subject, prefix = '') {
  await page.goto(`${office.address}${prefix}/demo`);
  await page.locator(`form:has(input[name=subject][value="${subject}"]) button`).click();
  await page.waitForURL(/\/work$/);
}

/** Whoever has most to do, by the door of the demonstration; null if nobody has. */
export async function busiest(page, office, prefix = '') {
  await page.goto(`${office.address}${prefix}/demo`);
  return page.evaluate(() => {
    for (const row of document.querySelectorAll('tbody tr')) {
      const cells = row.querySelectorAll('th, td');
      if (Number(cells[2].textContent) > 0) return row.querySelector('input[name=subject]').value;
    }
    return null;
  });
}

/** Lets days pass. */
export async function pass(page, office, days = 1, prefix = '') {
  await page.goto(`${office.address}${prefix}/demo`);
  await page.locator(`button[name=days][value="${days}"]`).click();
  await page.waitForURL(/\/demo$/);
}

/** Does the next step of the work list; false if there is none. Says what was done. */
export async function step(page, office, prefix = '') {
  await page.goto(`${office.address}${prefix}/work`);
  const next = page.locator('.next-step a.button.primary');
  if (!(await next.count())) return null;
  const what = await page.locator('.next-step .next-text').textContent();
  await next.click();
  await page.waitForLoadState();
  if (!page.url().includes('/work/sign/')) {
    const digit = Number((decodeURIComponent(page.url()).match(/(\d)$/) ?? [0, 0])[1]);
    await fill(page, digit);
    await Promise.all([page.waitForNavigation(), page.locator('form.act .buttons .primary').click()]);
    if (await page.locator('#errors').count()) throw new Error(`${what}: ${await page.locator('#errors').innerText()}`);
    if (await page.locator('[role=alert]').count()) throw new Error(`${what}: ${await page.locator('[role=alert]').first().innerText()}`);
    const check = page.locator('form:has(input[type=hidden]) .buttons .primary');
    if (!page.url().includes('/work/sign/') && !page.url().includes('/records/')) {
      await Promise.all([page.waitForNavigation(), check.click()]);
    }
  }
  const sign = page.locator('form:has(input[name=demo]) button');
  if (await sign.count()) {
    await Promise.all([page.waitForNavigation(), sign.click()]);
    if (await page.locator('[role=alert]').count()) throw new Error(`${what}: ${await page.locator('[role=alert]').first().innerText()}`);
  }
  return what;
}
