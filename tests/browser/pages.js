// Every page of the route table, who looks at it, and at which moment of an edition.
import { readFileSync } from 'node:fs';
import { fillParts, press } from './newcomer.js';
import { Person } from './people.js';

export const YEAR = new Date().getFullYear();
export const VOTE = 'yunchuan-mayor/2026';
export const COUNTY = `nanlu-county/${YEAR}`;
const NOTICE = `dongan-district/${YEAR}`;

/** What can be fetched at an address of the table but is no page to look at. */
const NO_PAGES = {
  '/certificates': 'leads to the certificate',
  '/work/sign/{id}/proof': 'what the script of the page checks',
  '/work/sign/{id}/scan': 'a file',
  '/work/{first}/{second}/receipts/{seq}': 'a file',
  '/work/{first}/{second}/board/checkpoint': 'a file',
  '/work/{first}/{second}/files/{sha}': 'the state of an upload, for the script',
  '/work/{first}/{second}/files/{sha}/{name}': 'a file',
  '/work/{first}/{second}/applications/{id}/files/{sha}': 'a file',
  '/work/{first}/{second}/objections/{id}/files/{sha}': 'a file',
};

/** The addresses of all pages, read from the route table itself. */
export function routes() {
  const table = readFileSync(new URL('../../crates/heng-web/src/routes.rs', import.meta.url), 'utf8');
  const lines = [...table.matchAll(/^\s*page\("([^"]+)", \w+\)(.*),$/gm)].filter(([, , methods]) => methods.includes('.get('));
  return lines.map(([, path]) => path).filter((path) => !(path in NO_PAGES));
}

/** The line of the table that answers an address: like the router, a word before a place for any word. */
export function routeOf(address) {
  const parts = new URL(address).pathname.replace(/^\/(en|hant)(?=\/|$)/, '').split('/').filter(Boolean);
  const fits = (path) => {
    const names = path.split('/').filter(Boolean);
    return names.length === parts.length && names.every((name, at) => name.startsWith('{') || name === parts[at]);
  };
  const places = (path) => path.split('{').length;
  return routes().filter(fits).sort((a, b) => places(a) - places(b))[0];
}

/** A page that somebody looks at: `go` is what is pressed before the page is there. */
const visit = (who, path, { status = 200, go } = {}) => ({ who, path, status, go });

/** What everybody can read. */
export const PORTAL = [
  '/',
  '/winners',
  '/winners?q=%E6%99%A8%E5%85%89&level=level_city',
  '/winners?q=nothing-like-this',
  '/figures',
  '/programmes/yunchuan-mayor',
  '/programmes/yunchuan-mayor/rules',
  '/editions/yunchuan-mayor/2025/papers',
  '/editions/yunchuan-mayor/2025',
  '/editions/yunchuan-mayor/2026',
  '/editions/yunchuan-mayor/2025/check',
  '/editions/yunchuan-mayor/2026/check',
  '/editions/yunchuan-mayor/2025/notices/n-notice',
  '/editions/yunchuan-mayor/2026/hall',
  '/editions/yunchuan-mayor/2025/hall',
  `/editions/${COUNTY}`,
  `/editions/${NOTICE}`,
  `/editions/${NOTICE}/notices/n-notice`,
  '/certificates/YUNCHUAN-MAYOR-2025-01',
  '/certificates/NOBODY-KNOWS',
  '/no/such/page',
];

const missing = /NOBODY-KNOWS|no\/such/;
const nobody = (path, more) => visit(null, path, more);
const next = async (page) => { await press(page, page.locator('.next-step .button.primary')); };
const send = async (page) => { await press(page, page.locator('form.act .buttons .primary')); };
const link = (wanted) => async (page) => { await press(page, page.locator(`a[href*="${wanted}"]`).first()); };

/** While the county takes applications and the city votes. */
export async function atFirst(browser, office) {
  const officer = await Person.enter(browser, office, 'p:0001', '/account/people');
  const invitation = (await officer.invite('p:0100', 'Clerk of the district (invented)')).replace(/^.*(?=\/invitations)/, '');
  await officer.context.close();
  const application = `/work/${COUNTY}/application.submitted/-`;
  return [
    ...PORTAL.map((path) => nobody(path, { status: missing.test(path) ? 404 : 200 })),
    nobody('/editions/yunchuan-mayor/2025/papers', { go: link('/papers/minutes/') }),
    nobody(`/editions/${NOTICE}/notices/n-notice`, { status: 422, go: async (page) => { await press(page, page.locator('main form button[type=submit]')); } }),
    nobody('/sign-in'),
    nobody('/sign-in', { status: 422, go: async (page) => {
      await page.locator('summary').first().click();
      await page.fill('input[name=login]', 'nobody@example.cn');
      await page.fill('input[name=password]', 'a sentence of a few words');
      await page.fill('input[name=code]', '123456');
      await press(page, page.locator('form[action$="/sign-in"]:has([name=password]) button'));
    } }),
    nobody(invitation),
    nobody('/invitations/abc', { status: 410 }),
    nobody('/sign-in/provider', { status: 502 }),
    nobody('/sign-in/provider/back', { status: 400 }),
    nobody('/demo'),
    ...['/work', `/work/${VOTE}`, '/work/office/log', '/work/outbox', `/work/${VOTE}/board`, `/work/${VOTE}/openings`, `/work/${COUNTY}/board`, `/work/${COUNTY}/applications`,
      `/work/${COUNTY}/applications/a:001`, `/work/${VOTE}/applications`, '/account', '/account/keys', '/account/people',
      '/work/office/log/role.granted/-', '/work/office/log/person.registered/-', `/work/${COUNTY}/window.extended/-`,
      `/work/${NOTICE}/objections`, '/work/yunchuan-mayor/2025/objections', `/work/${VOTE}/opinions`, `/work/${VOTE}/panels`, `/work/${VOTE}/papers/recommendation/p:0100`, `/work/${VOTE}/papers/letter/tax`, `/work/${VOTE}/visits`, `/work/${VOTE}/applications/a:001/visit`, `/work/${VOTE}/papers`,
      '/work/office/log/rules.adopted/yunchuan-mayor', '/work/office/log/rules.adopted/yunchuan-mayor?part=0', '/work/office/log/rules/yunchuan-mayor',
    ].map((path) => visit('p:0001', path)),
    visit('p:0001', `/work/${VOTE}`, { go: link('/draws/') }),
    visit('p:0001', '/work/yunchuan-mayor/2025/objections', { go: link('/objections/') }),
    visit('p:0001', `/work/${VOTE}/papers`, { go: link('/papers/report/') }),
    // New rules tried out with invented applicants before anybody adopts them.
    visit('p:0001', '/work/office/log/rules/yunchuan-mayor', { go: async (page) => { await press(page, page.locator('main form .primary')); } }),
    // A form with mistakes, what is to be signed, what came of it.
    visit('p:0001', '/work/office/log/entry.posted/-', { status: 422, go: send }),
    visit('p:0001', '/work/office/log/person.registered/-', { go: async (page) => {
      await page.fill('input[name=name]', '王示八');
      await send(page);
    } }),
    visit('p:0001', '/work/office/log/person.registered/-', { go: async (page) => {
      await page.fill('input[name=name]', '王示九');
      await send(page);
      await press(page, page.locator('form:has(input[name=demo]) button'));
    } }),
    visit('p:0003', `/work/${VOTE}/board`),
    visit('p:0011', '/account/people', { status: 403 }),
    visit('p:0011', '/work/outbox', { status: 403 }),
    visit('p:0011', `/work/${VOTE}/board`, { status: 403 }),
    visit('p:0011', '/work/office/log/person.registered/-', { status: 404 }),
    visit('p:0021', `/work/${VOTE}`),
    visit('p:0021', `/work/${VOTE}`, { go: next }),
    visit('o:0005', '/work'),
    visit('o:0005', `/work/${COUNTY}/files`),
    ...['', '?part=0', '?part=1', '?part=2', '?part=4'].map((part) => visit('o:0005', application + part)),
    // Each part filled in, checked.
    visit('o:0005', application, { go: (page) => fillParts(page, 2) }),
  ];
}

/** When the experts are to be drawn. */
export const atDraw = () => [
  visit('p:0001', `/work/${COUNTY}`, { go: link('/draws/') }),
  visit('p:0001', `/work/${COUNTY}`, { go: next }),
];

/** When an expert is to promise to judge fairly. */
export const atPledge = (expert) => [visit(expert, `/work/${COUNTY}`, { go: next })];

/** When an expert is to hand in the first scorebook. */
export const atScoring = (expert) => [
  visit(expert, `/work/${COUNTY}`),
  visit(expert, `/work/${COUNTY}/applications`),
  visit(expert, `/work/${COUNTY}/applications`, { go: link('/applications/a') }),
  // What is another panel's.
  visit(expert, `/work/${COUNTY}/applications`, { status: 403, go: async (page) => {
    const own = await page.locator('a[href*="/applications/a"]').evaluateAll((links) => links.map((link) => decodeURIComponent(link.getAttribute('href'))));
    const other = ['a:001', 'a:002', 'a:003', 'a:004', 'a:005', 'a:006'].find((id) => !own.some((href) => href.endsWith(id)));
    await page.goto(page.url().replace(/\?.*/, '') + `/${other}`);
  } }),
  visit(expert, `/work/${COUNTY}`, { go: next }),
  visit(expert, `/work/${COUNTY}`, { status: 422, go: async (page) => { await next(page); await send(page); } }),
  visit('p:0001', `/work/${COUNTY}`, { go: link('/draws/') }),
];

/** When the leader of a panel is to agree the sheets. */
export const atConsensus = (leader) => [visit(leader, `/work/${COUNTY}`, { go: next })];
