// Logins over https across three sites, and what people do to them: answers as JSON how each ended.
import { launch, limit, watch } from './chromium.mjs';

const { SHOP, NAMES, KEY_HASH, PERSON, PASSWORD, LIE, SHOTS } = process.env;
const names = NAMES.split(' ');
limit(240);
const browser = await launch(names, [`--ignore-certificate-errors-spki-list=${KEY_HASH}`]);

/// Opens the application and comes to the identity provider's login page.
async function begin(page) {
  await page.goto(SHOP);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('E-mail address').fill(PERSON);
  await page.keyboard.press('Enter');
  await page.getByLabel('Password').waitFor();
}

/// Signs in there; without scripts the response then waits for a press.
async function answer(page, lie = '') {
  await page.getByLabel('E-mail address').fill(PERSON);
  await page.getByLabel('Password').fill(PASSWORD);
  if (lie) await page.getByLabel('Misbehave').selectOption(lie);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/// Waits until a login is over: at the application, or on a page that says why not.
async function ending(page) {
  await page.locator('#back, .evidence').first().waitFor();
  const at = new URL(page.url());
  if (at.origin === SHOP) return { code: at.searchParams.get('code'), error: at.searchParams.get('error_description'), iss: at.searchParams.get('iss') };
  const code = await page.locator('.evidence code').first().innerText();
  return { refused: code, ways: await page.locator('.ways a').allInnerTexts() };
}

async function playing(name, play, options = {}) {
  const context = await browser.newContext({ viewport: { width: 800, height: 700 }, locale: 'en', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const amiss = watch(page, names);
  try {
    const told = await play(page, context);
    return [name, { ...told, amiss: amiss.filter((text) => !text.includes('the server responded with a status of')) }];
  } catch (error) {
    return [name, { failed: error.message, at: page.url(), text: await page.locator('body').innerText().catch(() => '') }];
  } finally {
    await page.screenshot({ path: `${SHOTS}/${name}.png` }).catch(() => {});
    await context.close();
  }
}

const plays = {
  async honest(page, context) {
    const [transport] = await Promise.all([page.waitForResponse((response) => response.url().includes('/oauth2/auth')), begin(page)]);
    const cookies = (await context.cookies()).map(({ name, domain, path, secure, httpOnly, sameSite }) => ({ name: name.slice(0, '__Host-fedgate-login-'.length), domain, path, secure, httpOnly, sameSite }));
    const posted = page.waitForRequest((request) => request.url().endsWith('/acs'));
    await answer(page);
    const headers = await (await posted).allHeaders();
    return {
      ...await ending(page),
      cookies,
      hsts: (await transport.allHeaders())['strict-transport-security'],
      sent: { site: headers['sec-fetch-site'], cookie: /(^|; )__Host-fedgate-login-/.test(headers.cookie ?? '') },
    };
  },
  // The browser dropped the cookie: deleted by the person, or never kept.
  async dropped(page, context) {
    await begin(page);
    await context.clearCookies();
    await answer(page);
    return ending(page);
  },
  // The gateway's own page posts the request across sites.
  async by_post(page) {
    const asked = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/sso'));
    await page.goto(SHOP);
    await page.getByRole('link', { name: 'By POST' }).click();
    const headers = await (await asked).allHeaders();
    await answer(page);
    return { ...await ending(page), asked_from: headers['sec-fetch-site'] };
  },
  async two_tabs(first, context) {
    const second = await context.newPage();
    await begin(first);
    await begin(second);
    await answer(second);
    const later = await ending(second);
    await answer(first);
    const earlier = await ending(first);
    return { first: Boolean(earlier.code), second: Boolean(later.code), apart: earlier.code !== later.code };
  },
  async back(page) {
    await begin(page);
    await answer(page);
    const { code } = await ending(page);
    // The page that posts by itself is an entry of its own where it was drawn before it posted, and cannot be shown again.
    await page.goBack().catch(() => page.goBack());
    await page.getByLabel('Password').waitFor();
    await answer(page);
    return { before: Boolean(code), ...await ending(page) };
  },
  async reload(page) {
    await begin(page);
    await answer(page, LIE);
    const before = await ending(page);
    await page.reload();
    return { before: before.refused, ...await ending(page) };
  },
  async reload_at_the_application(page) {
    await begin(page);
    await answer(page);
    const before = await ending(page);
    await page.reload();
    return { same: before.code === (await ending(page)).code };
  },
  // Each press opens a tab of its own with the same response.
  async pressed_twice(page, context) {
    await begin(page);
    await answer(page);
    const button = page.getByRole('button', { name: 'Continue' });
    await button.waitFor();
    const tabs = [];
    const opened = new Promise((resolve) => {
      context.on('page', (tab) => tabs.push(tab) === 2 && resolve());
    });
    await button.click({ modifiers: ['Control'] });
    await button.click({ modifiers: ['Control'] });
    await opened;
    const endings = await Promise.all(tabs.map(ending));
    return { codes: endings.filter(({ code }) => code).length, refused: endings.map(({ refused }) => refused).find(Boolean) };
  },
  async double_click(page) {
    await begin(page);
    await answer(page);
    await page.getByRole('button', { name: 'Continue' }).dblclick({ noWaitAfter: true });
    const end = await ending(page);
    return { ended: end.code ? 'signed in' : end.refused, ways: end.ways };
  },
};

const scriptless = ['pressed_twice', 'double_click'];
const told = await Promise.all(Object.entries(plays).map(([name, play]) => playing(name, play, { javaScriptEnabled: !scriptless.includes(name) })));
await browser.close();
console.log(JSON.stringify(Object.fromEntries(told)));
