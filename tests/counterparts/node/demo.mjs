// The demo by keyboard alone, once with scripts in light and once without in dark: signs in and out, and answers as
// JSON what it saw. Screenshots go to SHOTS.
import { enterOn, launch, limit, typeInto, watch } from './chromium.mjs';

const { DEMO_URL, DEMO_PASSWORD, SHOTS } = process.env;
const people = ['alice@acme.test', 'bob@globex.test'];
const looks = [
  { name: 'light-wide', colorScheme: 'light', viewport: { width: 1280, height: 800 }, javaScriptEnabled: true },
  { name: 'dark-narrow', colorScheme: 'dark', viewport: { width: 320, height: 640 }, javaScriptEnabled: false },
];

limit(240);
const browser = await launch();
const seen = [];

async function signIn(page, look, email, shot) {
  await page.goto(DEMO_URL);
  await enterOn(page, 'Sign in');
  await page.waitForURL((url) => url.pathname === '/oauth2/auth');
  // The field has the focus: a person who came to type types.
  await page.keyboard.type(email);
  await shot(`sign-in-${email}`);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname !== '/oauth2/auth' && url.pathname !== '/login/continue');
  await typeInto(page, 'E-mail address', email);
  await typeInto(page, 'Password', DEMO_PASSWORD);
  await shot(`idp-${email}`);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  // Without scripts the form that carries the SAML response waits for a press.
  if (!look.javaScriptEnabled && !page.url().startsWith(DEMO_URL)) {
    await shot(`on-the-way-${email}`);
    await enterOn(page, 'Continue');
  }
  await page.waitForURL((url) => url.href.startsWith(DEMO_URL));
  await shot(`signed-in-${email}`);
  return page.locator('main').innerText();
}

async function signOut(page, shot) {
  await enterOn(page, 'Sign out');
  await page.waitForURL((url) => url.searchParams.has('signed_out'));
  await shot('signed-out');
  return page.locator('main').innerText();
}

for (const look of looks) {
  for (const email of people) {
    const context = await browser.newContext(look);
    const page = await context.newPage();
    const amiss = watch(page);
    const shot = (name) => page.screenshot({ path: `${SHOTS}/${look.name}-${name}.png`, fullPage: true });
    const text = await signIn(page, look, email, shot);
    const out = await signOut(page, shot);
    seen.push({ look: look.name, email, text, out, amiss });
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(seen));
