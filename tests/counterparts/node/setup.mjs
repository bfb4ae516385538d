// The setup page by keyboard alone, once with scripts in light and once without in dark: from the link to an active
// connection. LINKS has one link for each look; answers as JSON what it saw. Screenshots go to SHOTS.
import { writeFileSync } from 'node:fs';
import { enterOn, launch, tabTo, typeInto, watch } from './chromium.mjs';

const { LINKS, METADATA_URL, METADATA_XML, PERSON, PASSWORD, SHOTS } = process.env;
const looks = [
  { name: 'light-wide', colorScheme: 'light', viewport: { width: 1280, height: 800 }, javaScriptEnabled: true },
  { name: 'dark-narrow', colorScheme: 'dark', viewport: { width: 320, height: 640 }, javaScriptEnabled: false },
];

const browser = await launch();
const seen = [];

/// The value behind the first copy button, as it arrives in the clipboard.
async function copied(page) {
  await tabTo(page, 'Copy');
  await page.keyboard.press('Enter');
  await page.getByText('Copied').first().waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

async function bringBack(page, look) {
  if (look.javaScriptEnabled) {
    await typeInto(page, 'Metadata URL', METADATA_URL);
    await enterOn(page, 'Save');
    return;
  }
  const file = `${SHOTS}/idp.xml`;
  writeFileSync(file, METADATA_XML);
  await enterOn(page, 'Another way to bring it back');
  await page.locator('#metadata_file').setInputFiles(file);
  await enterOn(page, 'Save');
}

async function signIn(page, look) {
  await enterOn(page, 'Test sign-in');
  await page.waitForURL((url) => !url.pathname.startsWith('/setup/'));
  await typeInto(page, 'E-mail address', PERSON);
  await typeInto(page, 'Password', PASSWORD);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  if (!look.javaScriptEnabled) await enterOn(page, 'Continue');
  await page.waitForURL((url) => url.pathname.endsWith('/test'));
}

for (const [index, look] of looks.entries()) {
  const context = await browser.newContext({ ...look, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const amiss = watch(page);
  const shot = (name) => page.screenshot({ path: `${SHOTS}/${look.name}-${name}.png`, fullPage: true });
  const state = () => page.locator('.state').innerText();
  await page.goto(JSON.parse(LINKS)[index]);
  await shot('begin');
  await enterOn(page, 'Begin');
  await page.waitForURL((url) => !url.pathname.startsWith('/setup/link/'));
  const states = [await state()];
  const clipboard = look.javaScriptEnabled ? await copied(page) : null;
  await shot('draft');
  await bringBack(page, look);
  await page.waitForURL((url) => url.search === '?saved');
  states.push(await state());
  await shot('saved');
  await signIn(page, look);
  states.push(await state());
  await shot('verdict');
  await enterOn(page, 'Activate the connection');
  await page.waitForURL((url) => url.search === '?activated');
  states.push(await state());
  await shot('active');
  seen.push({ look: look.name, states, clipboard, amiss });
  await context.close();
}
await browser.close();
console.log(JSON.stringify(seen));
