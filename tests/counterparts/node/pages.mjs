// Looks at every page as people meet it, and answers as JSON what is amiss: PAGES is a list of {name, url, still,
// columns, light}. A screenshot of each look goes to SHOTS. axe-core (MPL-2.0) is used here and in no product.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { launch, limit, watch } from './chromium.mjs';

const { PAGES, SHOTS } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LARGEST = 30 * 1024;
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const wide = { width: 1280, height: 800 };
const looks = [
  { name: 'light-wide', colorScheme: 'light', viewport: wide, scripts: true, standards: true },
  { name: 'dark-narrow-no-scripts', colorScheme: 'dark', viewport: { width: 320, height: 640 }, scripts: false },
  // 400 %: a quarter of the pixels in each direction, each four times as large (WCAG 2.2, 1.4.10).
  { name: 'light-zoom', colorScheme: 'light', viewport: { width: 320, height: 200 }, deviceScaleFactor: 4, scripts: true, zoom: true },
  { name: 'dark-wide', colorScheme: 'dark', viewport: wide, scripts: true, standards: true },
];

async function inspect(browser, look, page) {
  const { name, scripts, zoom, standards: judged, ...options } = look;
  const context = await browser.newContext({ ...options, javaScriptEnabled: scripts, locale: page.locale ?? 'en' });
  // A page that would go on by itself stays to be looked at.
  if (page.still) await context.addInitScript(() => { HTMLFormElement.prototype.submit = () => {}; });
  const tab = await context.newPage();
  tab.setDefaultTimeout(10_000);
  const amiss = watch(tab);
  const weights = [];
  tab.on('response', (response) => weights.push(response.body().then((body) => body.length, () => 0)));
  await tab.goto(page.url, { waitUntil: 'load' });
  amiss.push(...await layout(tab));
  if (judged) amiss.push(...await standards(tab));
  if (name === 'light-wide') amiss.push(...await keyboard(tab, page));
  const weight = (await Promise.all(weights)).reduce((sum, one) => sum + one, 0);
  if (page.light && weight > LARGEST) amiss.push(`weighs ${weight} bytes`);
  await tab.screenshot({ path: `${SHOTS}/${page.name}-${name}.png`, fullPage: !zoom });
  // A page that refuses answers with an error's status, of which the console tells.
  const told = amiss.filter((text) => !text.includes('the server responded with a status of'));
  await context.close();
  return told.map((text) => `${page.name} (${name}): ${text}`);
}

async function layout(tab) {
  return tab.evaluate(() => {
    const root = document.documentElement;
    const amiss = root.scrollWidth > root.clientWidth ? [`scrolls sideways: ${root.scrollWidth} of ${root.clientWidth}`] : [];
    const outside = [...document.querySelectorAll('body *')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 1 && (box.left < -1 || box.right > root.clientWidth + 1) && getComputedStyle(element).position !== 'absolute';
    });
    return amiss.concat(outside.slice(0, 3).map((element) => `outside the window: ${element.outerHTML.slice(0, 80)}`));
  });
}

async function standards(tab) {
  await tab.evaluate(AXE);
  const { violations } = await tab.evaluate((values) => axe.run({ runOnly: { type: 'tag', values }, iframes: false }), STANDARDS);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 120)} ${node.failureSummary.replace(/\s+/g, ' ').slice(0, 300)}`));
}

/// Tab goes through everything, in the order of reading, each time with a ring that can be seen.
async function keyboard(tab, page) {
  const count = await tab.evaluate(() => {
    const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, iframe';
    window.usable = [...document.querySelectorAll(usable)].filter((element) => element.checkVisibility());
    document.activeElement.blur();
    return window.usable.length;
  });
  const stops = [];
  // Between the last and the first the focus may leave the page, and in a frame it moves without leaving the frame.
  for (let presses = 0; stops.length < count && presses < count + 40; presses += 1) {
    await tab.keyboard.press('Tab');
    const next = await tab.evaluate(stop);
    if (next.index !== stops.at(-1)?.index && next.html !== '') stops.push(next);
  }
  const amiss = stops.filter((stop) => !stop.ring).map((stop) => `no focus to be seen on ${stop.html}`);
  const order = stops.map((stop) => stop.index);
  const first = order.indexOf(0);
  const turned = [...order.slice(first), ...order.slice(0, first)];
  if (turned.some((index, at) => index !== at)) amiss.push(`Tab order is ${order}`);
  const sorted = [...stops].sort((one, other) => one.index - other.index);
  const up = page.columns ? undefined : sorted.find((stop, at) => at > 0 && stop.top < sorted[at - 1].top - 1);
  if (up) amiss.push(`Tab goes up to ${up.html}`);
  return amiss;
}

/// Where the focus is, and whether its ring is told from what is around it: 3:1 (WCAG 2.2, 1.4.11 and 2.4.13).
function stop() {
  const focused = document.activeElement;
  if (focused === document.body) return { html: '' };
  const style = getComputedStyle(focused);
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  let around = focused.parentElement;
  while (around.parentElement && channels(getComputedStyle(around).backgroundColor)[3] === 0) around = around.parentElement;
  const [one, other] = [style.outlineColor, getComputedStyle(around).backgroundColor].map(luminance);
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const box = focused.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < window.innerHeight;
  // What has the focus within a frame has the ring.
  const frame = focused.tagName === 'IFRAME';
  return {
    index: window.usable.indexOf(focused),
    top: box.top + window.scrollY,
    ring: frame || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && contrast >= 3 && inside),
    html: focused.outerHTML.slice(0, 100),
  };
}

limit(240);
const browser = await launch();
const work = JSON.parse(PAGES).flatMap((page) => looks.map((look) => ({ look, page })));
const amiss = [];
const one = async () => {
  for (let next = work.shift(); next; next = work.shift()) {
    const { look, page } = next;
    amiss.push(...await inspect(browser, look, page).catch((error) => [`${page.name} (${look.name}): ${error.message}`]));
  }
};
await Promise.all([one(), one()]);
await browser.close();
console.log(JSON.stringify(amiss));
