// The demo in headless Chromium, once with scripts in light and once without in dark: signs in and out, stages one
// failure, and answers what it saw as JSON. Screenshots go to DEMO_SHOTS if that is set.
import { chromium } from 'playwright-core';

const { DEMO_URL, DEMO_PASSWORD, DEMO_SHOTS } = process.env;
const people = ['alice@acme.test', 'bob@globex.test'];
const looks = [
  { name: 'light-wide', colorScheme: 'light', viewport: { width: 1280, height: 800 }, javaScriptEnabled: true },
  { name: 'dark-narrow', colorScheme: 'dark', viewport: { width: 320, height: 640 }, javaScriptEnabled: false },
];

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
});
const seen = [];

async function signIn(page, look, email, shot) {
  await page.goto(DEMO_URL);
  await page.getByRole('link', { name: 'Sign in' }).or(page.getByRole('button', { name: 'Sign in' })).first().click();
  await page.getByLabel('E-mail address').fill(email);
  await shot(`sign-in-${email}`);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname !== '/oauth2/auth');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(DEMO_PASSWORD);
  await shot(`idp-${email}`);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  // Without scripts the form that carries the SAML response waits for a press.
  if (!look.javaScriptEnabled && !page.url().startsWith(DEMO_URL)) {
    await shot(`on-the-way-${email}`);
    await page.locator('form[method=post] button').first().click();
  }
  await page.waitForURL((url) => url.href.startsWith(DEMO_URL));
  await shot(`signed-in-${email}`);
  return { email, text: await page.locator('main, body').first().innerText() };
}

for (const look of looks) {
  for (const email of people) {
    const context = await browser.newContext(look);
    const page = await context.newPage();
    const shot = (name) => DEMO_SHOTS && page.screenshot({ path: `${DEMO_SHOTS}/${look.name}-${name}.png`, fullPage: true });
    const { text } = await signIn(page, look, email, shot);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth).catch(() => null);
    seen.push({ look: look.name, email, text, overflow });
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(seen));
