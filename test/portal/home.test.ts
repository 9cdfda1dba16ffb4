import t from 'tap'
import { chromiumMissing, startChromium } from './chromium.ts'
import { startTestPortal } from './portal.ts'

const portal = await startTestPortal()
t.teardown(() => portal.close())

t.test('the page speaks the language of the link, else of the browser, else English', async (t) => {
  for (const [path, acceptLanguage, language, words] of [
    ['/', 'fi-FI,fi;q=0.9', 'fi', 'Puheluiden tallennusjärjestelmä'],
    ['/', 'sv', 'sv', 'System för inspelning av samtal'],
    ['/', 'de', 'en', 'Call recording'],
    ['/?lang=sv', 'fi', 'sv', 'System för inspelning av samtal'],
    ['/?lang=xx', 'fi', 'fi', 'Puheluiden tallennusjärjestelmä'],
  ] as const) {
    const response = await fetch(`${portal.url}${path}`, {
      headers: { 'accept-language': acceptLanguage },
    })
    t.equal(response.headers.get('content-language'), language)
    t.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
    const page = await response.text()
    t.match(page, `<html lang="${language}">`)
    t.match(page, words)
  }
})

t.test(
  'the page fits a telephone and a desk, in light and dark',
  { skip: chromiumMissing },
  async (t) => {
    const browser = await startChromium()
    t.teardown(() => browser.close())
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [390, 1280]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 844 } })
        const complaints: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        page.on('pageerror', (error) => complaints.push(error.message))
        for (const language of ['fi', 'sv', 'en']) {
          await page.goto(`${portal.url}/?lang=${language}`)
          const found = await page.evaluate(`({
          overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          links: document.querySelectorAll('a[href]').length,
          background: getComputedStyle(document.body).backgroundColor,
        })`)
          t.match(found, {
            overflow: 0,
            links: 6,
            background: colorScheme === 'light' ? 'rgb(251, 250, 248)' : 'rgb(20, 23, 26)',
          })
        }
        t.same(complaints, [], 'the content policy lets the page’s own style through')
        await page.close()
      }
    }
  },
)
