// The illustrated guides in docs/guide: what they say, held against the pages, and the pictures in them.
//
// A guide is a file of steps, each a heading `## …` with one picture. What is **bold** in a step stands word for word on a
// page that its picture shows, or on one that the walk looks at for it; what is in 「」 or “ ” is a sentence of the product.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const FOLDER = join(root, 'docs/guide');
const MESSAGES = join(root, 'data/messages');
/** All pictures together, and one of them. */
const MOST = { all: 3_000_000, one: 42_000, count: 80 };
/** Pictures are written only when asked for, so that a test leaves the tree as it was. */
const WRITE = process.env.HENG_GUIDE_PICTURES === '1';

/** The language of a guide, by its name: `clerk.md` or `clerk.en.md`. */
const languageOf = (file) => (file.endsWith('.en.md') ? 'en' : 'zh');

const plain = (text) => text.replace(/\s+/g, ' ');

/** The guides' files; the index is not one. */
export function files() {
  return readdirSync(FOLDER).filter((name) => name.endsWith('.md') && name !== 'README.md').sort();
}

/** The steps of a guide: their heading, their pictures, and the words that they say stand on a page. */
function steps(file) {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return text.split(/^## /m).slice(1).map((part) => ({
    file,
    heading: part.split('\n')[0],
    pictures: [...part.matchAll(/!\[[^\]]+\]\(pictures\/(\w+)\/([\w-]+)\.webp\)/g)].map(([, lang, name]) => ({ lang, name })),
    words: [...part.matchAll(/\*\*(.+?)\*\*/g)].map(([, word]) => word),
  }));
}

/** What is wrong with the files alone: names, sizes, sentences that the product does not say. */
export function unsound() {
  const wrong = [];
  const all = files();
  const named = new Set();
  for (const file of all) {
    const lang = languageOf(file);
    const other = lang === 'en' ? file.replace('.en.md', '.md') : file.replace('.md', '.en.md');
    if (!all.includes(other)) { wrong.push(`${file} has no ${other}`); continue; }
    const [own, others] = [steps(file), steps(other)].map((list) => list.map((s) => s.pictures.map((p) => p.name).join()));
    if (own.join(';') !== others.join(';')) wrong.push(`${file} and ${other} do not have the same steps`);
    for (const step of steps(file)) {
      if (step.pictures.length !== 1) wrong.push(`${file}, “${step.heading}”: ${step.pictures.length} pictures instead of one`);
      for (const picture of step.pictures) {
        if (picture.lang !== lang) wrong.push(`${file}, “${step.heading}”: a picture in ${picture.lang}`);
        named.add(`${picture.lang}/${picture.name}.webp`);
      }
    }
    const said = sentences(lang);
    for (const [, quote] of readFileSync(join(FOLDER, file), 'utf8').matchAll(lang === 'en' ? /“(.+?)”/g : /「(.+?)」/g)) {
      if (!said.some((sentence) => sentence.includes(quote))) wrong.push(`${file}: the product does not say “${quote}”`);
    }
  }
  const kept = ['zh', 'en'].flatMap((lang) => readdirSync(join(FOLDER, 'pictures', lang)).map((name) => `${lang}/${name}`));
  for (const name of named) if (!kept.includes(name)) wrong.push(`${name} is named by a guide and does not exist`);
  for (const name of kept) if (!named.has(name)) wrong.push(`${name} is named by no guide`);
  const sizes = kept.map((name) => statSync(join(FOLDER, 'pictures', name)).size);
  if (kept.length > MOST.count) wrong.push(`${kept.length} pictures, at most ${MOST.count}`);
  sizes.forEach((size, at) => { if (size > MOST.one) wrong.push(`${kept[at]} has ${size} bytes, at most ${MOST.one}`); });
  const sum = sizes.reduce((a, b) => a + b, 0);
  if (sum > MOST.all) wrong.push(`all pictures have ${sum} bytes, at most ${MOST.all}`);
  return wrong;
}

/** Every sentence that the product says in a language. */
function sentences(lang) {
  const of = readdirSync(MESSAGES).filter((name) => name === `${lang}.toml` || name.endsWith(`.${lang}.toml`));
  return of.flatMap((name) => [...readFileSync(join(MESSAGES, name), 'utf8').matchAll(/ = ("(?:[^"\\]|\\.)+")$/gm)].map(([, text]) => JSON.parse(text)));
}

/** What stands on a page for somebody who looks at it: texts, buttons, what is filled in. Runs in the page. */
function visible() {
  const fields = [...document.querySelectorAll('input:not([type=hidden]), textarea, select')];
  const values = fields.map((field) => (field.tagName === 'SELECT' ? field.selectedOptions[0]?.text : field.value));
  return [document.body.innerText, ...values].join('\n');
}

/** The guides of one language, while somebody walks through the pages that they show. */
export class Guides {
  constructor(lang) {
    this.lang = lang;
    this.steps = files().filter((file) => languageOf(file) === lang).flatMap(steps);
    /** What was seen for a picture. */
    this.seen = new Map();
    this.shown = new Set();
  }

  /** Adds what stands on a page, or a text, to what a picture's step may speak of. */
  async look(name, page) {
    const text = typeof page === 'string' ? page : await page.evaluate(visible);
    this.seen.set(name, `${this.seen.get(name) ?? ''}\n${plain(text)}`);
  }

  /**
   * The page as the guides show it: from the top of `from` on, at most `height` high, with a frame around `mark`.
   * Whatever is named must be there.
   */
  async show(name, page, { mark, from = 'main', to, height = 620 } = {}) {
    await this.look(name, page);
    this.shown.add(name);
    for (const selector of [mark, from, to].filter(Boolean)) {
      assert.ok(await page.locator(selector).first().isVisible(), `${name}: nothing to see at ${selector} on ${page.url()}`);
    }
    if (!WRITE) return;
    const frame = (selector, style) => page.locator(selector).first().evaluate((node, given) => { Object.assign(node.style, given); }, style);
    if (mark) await frame(mark, { outline: '3px solid #d98a00', outlineOffset: '5px', borderRadius: '3px' });
    await page.evaluate(() => document.fonts.ready);
    const clip = await page.evaluate(([from, to, height]) => {
      const top = Math.max(0, document.querySelector(from).getBoundingClientRect().top + scrollY - 12);
      const end = to ? document.querySelector(to).getBoundingClientRect().bottom + scrollY + 16 : document.documentElement.scrollHeight;
      return { x: 0, y: top, width: innerWidth, height: Math.min(height, end - top), scale: 1 };
    }, [from, to, height]);
    // The session stays: one that ends takes the page's device for passkeys with it.
    const device = await page.context().newCDPSession(page);
    const { data } = await device.send('Page.captureScreenshot', { format: 'webp', quality: 55, clip, captureBeyondViewport: true });
    if (mark) await frame(mark, { outline: '', outlineOffset: '', borderRadius: '' });
    const file = join(FOLDER, 'pictures', this.lang, `${name}.webp`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(data, 'base64'));
  }

  /** What the guides say and the pages did not. */
  unseen() {
    const wrong = [];
    for (const step of this.steps) {
      for (const { name } of step.pictures) {
        const seen = this.seen.get(name) ?? '';
        if (!this.shown.has(name)) wrong.push(`${step.file}, “${step.heading}”: the walk does not show ${name}`);
        for (const word of step.words) {
          if (!seen.includes(plain(word))) wrong.push(`${step.file}, “${step.heading}”: “${word}” is not on the page`);
        }
      }
    }
    const named = new Set(this.steps.flatMap((step) => step.pictures.map((picture) => picture.name)));
    for (const name of this.shown) if (!named.has(name)) wrong.push(`no guide shows ${name}`);
    return wrong;
  }
}
