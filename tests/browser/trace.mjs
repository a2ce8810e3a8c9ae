import { follow } from './newcomer.js';
import { startBrowser, startOffice } from './office.js';
const office = await startOffice();
const browser = await startBrowser();
const page = await (await browser.newContext()).newPage();
let n=0, last=Date.now();
try {
const r = await follow(page, office, process.argv[2], { prefix: '/en', clicks: +process.argv[4], most: +(process.argv[3] ?? 400), until: (what) => { const t=Date.now(); console.log(++n, t-last, what.kind, what.text.slice(0,110)); last=t; return false;} });
console.log(r.kinds);
} catch (e) { console.log(String(e).slice(0,3500)); }
console.log(page.url(), (await page.locator('main').innerText()).slice(0,600));
await browser.close(); office.stop();
