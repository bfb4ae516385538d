// What the scripts in Chromium share: one that reaches loopback alone, and a person who has only a keyboard.
import { chromium } from 'playwright-core';

/// Starts one; `names` are hosts that lead to loopback, `more` further switches.
export function launch(names = [], more = []) {
  const rules = [...names.map((name) => `MAP ${name} 127.0.0.1`), 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1'];
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', `--host-resolver-rules=${rules.join(', ')}`, ...more],
  });
}

/// Ends the script with an error after so many seconds, instead of waiting for ever.
export function limit(seconds) {
  const end = () => {
    console.error(`not done after ${seconds} seconds`);
    process.exit(1);
  };
  setTimeout(end, seconds * 1000).unref();
}

/// Notes what a page must not do: errors and policy violations in its console, and requests to other hosts.
export function watch(page, hosts = ['127.0.0.1']) {
  const amiss = [];
  page.on('console', (message) => message.type() === 'error' && amiss.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => amiss.push(`script: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    const own = hosts.includes(url.hostname) || ['data:', 'about:', 'blob:'].includes(url.protocol);
    if (!own) amiss.push(`request to ${url.host}`);
  });
  return amiss;
}

/// Presses Tab until the focus is on what bears that name; fails where it never is.
export async function tabTo(page, name) {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate(bearsName, name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches "${name}" on ${page.url()}`);
}

function bearsName(name) {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return false;
  const label = focused.labels?.[0]?.textContent ?? focused.textContent;
  return label.trim().replace(/\s+/g, ' ') === name;
}

/// Tabs to something and presses Enter.
export async function enterOn(page, name) {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
}

/// Tabs to a field and types into it, in place of what is there.
export async function typeInto(page, label, text) {
  await tabTo(page, label);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}
