// The browser library in a browser: a page of one origin, with @segment/analytics-next as it is published,
// sends to a service of another. try.mjs calls it where Chromium and puppeteer-core are here.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const page = (url, key, user, order, batching) => `<!doctype html><title>Cart</title><script>
  window.analytics = []
  analytics._writeKey = ${JSON.stringify(key)}
  analytics._cdn = ${JSON.stringify(url)}
  analytics._loadOptions = { integrations: { 'Segment.io': {
    apiHost: ${JSON.stringify(`${url.replace('http://', '')}/v1`)}, protocol: 'http',
    ${batching ? "deliveryStrategy: { strategy: 'batching', config: { size: 2, timeout: 300 } }," : ''}
  } } }
  analytics.push(['identify', ${JSON.stringify(user)}, { email: ${JSON.stringify(`${user}@example.com`)} }])
  analytics.push(['track', 'Order Completed', ${JSON.stringify(order)}])
  analytics.push(['page', 'Cart'])
</script><script src="/umd/standalone.js"></script>`

/// What went wrong; `puppeteer` is puppeteer-core, `chromium` the program, `library` the package's folder.
export const send = async ({ puppeteer, chromium, library, url, key, user, order, batching }) => {
  const shop = createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html')
      return response.end(page(url, key, user, order, batching))
    }
    const file = request.url.match(/^\/umd\/([\w.-]+\.js)$/)
    try {
      response.setHeader('Content-Type', 'text/javascript')
      response.end(readFileSync(join(library, 'dist', 'umd', file[1])))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((listens) => shop.listen(0, '127.0.0.1', listens))
  const browser = await puppeteer.launch({ executablePath: chromium, headless: true, args: ['--no-sandbox'] })
  const failures = [], sent = []
  try {
    const tab = await browser.newPage()
    tab.on('pageerror', (error) => failures.push(String(error)))
    tab.on('requestfailed', (request) => failures.push(`${request.url()} ${request.failure()?.errorText}`))
    tab.on('response', (response) => {
      if (!response.url().startsWith(url)) return
      sent.push(`${response.request().method()} ${new URL(response.url()).pathname}`)
      if (response.status() >= 400) failures.push(`${response.url()} ${response.status()}`)
    })
    await tab.goto(`http://127.0.0.1:${shop.address().port}/`)
    const wanted = batching ? 1 : 3
    for (let i = 0; i < 100 && sent.filter((one) => one.startsWith('POST')).length < wanted; ++i)
      await new Promise((goOn) => setTimeout(goOn, 100))
  } finally {
    await browser.close()
    shop.close()
  }
  if (!sent.includes(`GET /v1/projects/${key}/settings`)) failures.push(`no settings asked for: ${sent}`)
  return failures
}
