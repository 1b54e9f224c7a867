// Opens pages in Chromium and tells what is wrong with them; see ../browser.py for the wishes.
// Reads one JSON object from standard input and writes one to standard output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const wish = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(wish.modules + "/package.json");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

function allowed(url, page) {
  if (/^(data|blob|about):/.test(url)) return true;
  return new URL(url).protocol === "file:" ? page.startsWith("file:") : new URL(url).origin === new URL(page).origin;
}

// A page in a window of its own, with a list of what went wrong in it.
async function open(browser, url, { width, theme, media }) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: theme,
    deviceScaleFactor: wish.scale ?? 1,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (said) => said.type() === "error" && wrong.push(`console: ${said.text()}`));
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("requestfailed", (request) => {
    if (allowed(request.url(), url)) wrong.push(`not loaded: ${request.url()}`);
  });
  await context.route("**/*", (route) => {
    if (allowed(route.request().url(), url)) return route.continue();
    wrong.push(`network: ${route.request().url()}`);
    return route.abort();
  });
  if (media) await page.emulateMedia({ media });
  await page.goto(url, { waitUntil: "load" });
  return { context, page, wrong };
}

async function check(browser, url) {
  const problems = [];
  for (const theme of wish.themes) {
    for (const width of wish.widths) {
      const { context, page, wrong } = await open(browser, url, { width, theme });
      await page.evaluate(axe);
      const found = await page.evaluate(
        (tags) => globalThis.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }),
        TAGS,
      );
      for (const { id, help, nodes } of found.violations) {
        const where = nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
        wrong.push(`axe ${id}: ${help} (${nodes.length} times, such as ${where})`);
      }
      const over = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      if (over > 0) wrong.push(`layout: ${over} pixels wider than the window`);
      problems.push(...wrong.map((text) => `${theme}, ${width} px: ${text}`));
      await context.close();
    }
  }
  return problems;
}

async function evaluate(browser, url) {
  const { context, page, wrong } = await open(browser, url, { width: wish.widths[0], theme: wish.themes[0] });
  const value = await page.evaluate(wish.expression);
  await context.close();
  return { value, wrong };
}

async function shoot(browser, url) {
  const { context, page } = await open(browser, url, {
    width: wish.widths[0],
    theme: wish.themes[0],
    media: wish.media,
  });
  if (wish.expression) await page.evaluate(wish.expression);
  if (wish.file.endsWith(".pdf")) await page.pdf({ path: wish.file, format: "A4", printBackground: true });
  else await page.screenshot({ path: wish.file, fullPage: wish.full });
  await context.close();
  return null;
}

const browser = await chromium.launch({ executablePath: wish.chromium, args: ["--disable-gpu"] });
try {
  const act = { check, evaluate, shoot }[wish.act];
  const results = [];
  for (const url of wish.urls) results.push(await act(browser, url));
  process.stdout.write(JSON.stringify(results));
} finally {
  await browser.close();
}
