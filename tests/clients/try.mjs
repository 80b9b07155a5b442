// Sends through unmodified clients to a running service, and asks it what arrived.
//
//   cd tests/clients && npm install && node try.mjs [URL] [KEY]
//
// URL is http://127.0.0.1:8080 and KEY demo where none are given; the key needs the scopes ingest,
// decide and admin. Says so and ends with 77 where the packages are not installed. What is sent
// carries ids of its own, so that the service may be any one.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const url = process.argv[2] ?? 'http://127.0.0.1:8080'
const key = process.argv[3] ?? 'demo'
const run = `t${Date.now().toString(36)}`
// Packages may lie elsewhere: NODE_CLIENTS names the folder that has node_modules.
const folder = process.env.NODE_CLIENTS ?? import.meta.dirname
const require = createRequire(join(folder, 'x.js'))

const version = (name) =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'))).version
try {
  require.resolve('@segment/analytics-node')
} catch {
  console.log('NOT TRIED: the packages are not installed (npm install in tests/clients)')
  process.exit(77)
}

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)
const order = (id) => ({ order_id: `${run}-${id}`, total: 19.9, currency: 'EUR' })
const customer = async (id) => {
  const answer = await fetch(`${url}/v1/customers/${id}`, { headers: { authorization: `Bearer ${key}` } })
  return answer.ok ? answer.json() : undefined
}

const clients = {
  async '@segment/analytics-node'(user) {
    const { Analytics } = require('@segment/analytics-node')
    const analytics = new Analytics({ writeKey: key, host: url, flushAt: 3 })
    const failures = []
    analytics.on('error', (error) => failures.push(error))
    analytics.identify({ userId: user, traits: { email: `${user}@example.com` } })
    analytics.track({ userId: user, event: 'Order Completed', properties: order(user) })
    analytics.page({ userId: user, name: 'Home' })
    analytics.group({ userId: user, groupId: 'g' })
    analytics.alias({ userId: user, previousId: `${user}-before` })
    await analytics.closeAndFlush()
    return failures
  },
  async '@rudderstack/rudder-sdk-node'(user) {
    const Analytics = require('@rudderstack/rudder-sdk-node')
    const analytics = new (Analytics.default ?? Analytics)(key, { dataPlaneUrl: url, flushAt: 3 })
    const failures = []
    const take = (error) => error && failures.push(error)
    analytics.identify({ userId: user, traits: { email: `${user}@example.com` } }, take)
    analytics.track({ userId: user, event: 'Order Completed', properties: order(user) }, take)
    analytics.screen({ userId: user, name: 'Home' }, take)
    await pause(200)
    await analytics.flush()
    await pause(500)
    return failures
  },
  async '@segment/analytics-next'(user, batching) {
    // In the browser; here on the least of a document that it asks for.
    const storage = new Map()
    const local = {
      getItem: (name) => storage.get(name) ?? null,
      setItem: (name, value) => storage.set(name, String(value)),
      removeItem: (name) => storage.delete(name),
    }
    const listeners = { addEventListener() {}, removeEventListener() {} }
    const page = new URL('https://shop.example/cart?utm_source=mail')
    Object.assign(globalThis, {
      window: globalThis,
      self: globalThis,
      document: { ...listeners, title: 'Cart', referrer: '', cookie: '', readyState: 'complete',
        querySelector: () => null, querySelectorAll: () => [], getElementsByTagName: () => [],
        createElement: () => ({ setAttribute() {}, style: {} }), head: { appendChild() {} } },
      location: page,
      localStorage: local,
      sessionStorage: local,
      ...listeners,
    })
    Object.defineProperty(globalThis, 'navigator', {
      value: { userAgent: 'Mozilla/5.0', language: 'de-DE', onLine: true }, configurable: true })
    const { AnalyticsBrowser } = require('@segment/analytics-next')
    const strategy = batching
      ? { deliveryStrategy: { strategy: 'batching', config: { size: 2, timeout: 300 } } } : {}
    const analytics = AnalyticsBrowser.load(
      { writeKey: key, cdnURL: url },
      { integrations: { 'Segment.io': { apiHost: `${url.replace('http://', '')}/v1`, protocol: 'http', ...strategy } } })
    await analytics.identify(user, { email: `${user}@example.com` })
    await analytics.track('Order Completed', order(user))
    await analytics.page('Home')
    await pause(1500)
    return []
  },
  async 'puppeteer-core'(user, batching) {
    const { send } = await import('./browser.mjs')
    const library = join(folder, 'node_modules', '@segment', 'analytics-next')
    return send({ puppeteer: require('puppeteer-core'), chromium, library, url, key, user,
      order: order(user), batching })
  },
  async ws(user) {
    const WebSocket = require('ws')
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, {
      headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` } })
    await new Promise((open, fail) => socket.on('open', open).on('error', fail))
    const acked = new Promise((done, fail) => {
      socket.on('message', (text) => JSON.parse(text).ack === 2 && done()).on('close', fail)
    })
    const event = (more) => JSON.stringify({ type: 'track', userId: user, messageId: `${user}-${more}`,
      event: 'Order Completed', properties: order(user) })
    socket.send(event(1))
    socket.send(`[${event(1)}]`)
    await acked
    socket.close()
    return []
  },
  async wscat(user) {
    const child = spawn(process.execPath, [join(folder, 'node_modules', 'wscat', 'bin', 'wscat'), '-c',
      `${url.replace('http', 'ws')}/v1/stream?write_key=${key}`, '-w', '1', '-x',
      JSON.stringify({ type: 'track', userId: user, event: 'Order Completed', properties: order(user) })])
    let said = ''
    child.stdout.on('data', (data) => (said += data))
    child.stderr.on('data', (data) => (said += data))
    const code = await new Promise((done) => child.on('exit', done))
    return code === 0 && said.includes('"ack":1') ? [] : [`exit ${code}: ${said}`]
  },
}

let failed = 0
const attempt = async (name, title, ...more) => {
  const user = `${run}-${title.replace(/[^a-z]+/g, '-')}`
  let failures
  try {
    failures = await clients[name](user, ...more)
  } catch (error) {
    failures = [error?.stack ?? error]
  }
  let known
  for (let i = 0; i < 50 && known?.customer?.orders !== 1; ++i) {
    known = await customer(user)
    await pause(100)
  }
  const orders = known?.customer?.orders
  const ok = failures.length === 0 && orders === 1
  failed += ok ? 0 : 1
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${title} ${version(name)}  orders ${orders}`, ...failures)
}
await attempt('@segment/analytics-node', '@segment/analytics-node')
await attempt('@rudderstack/rudder-sdk-node', '@rudderstack/rudder-sdk-node')
await attempt('ws', 'ws')
await attempt('wscat', 'wscat')
await attempt('@segment/analytics-next', '@segment/analytics-next single', false)
await attempt('@segment/analytics-next', '@segment/analytics-next batching', true)
if (chromium) {
  await attempt('puppeteer-core', 'a browser (@segment/analytics-next single)', false)
  await attempt('puppeteer-core', 'a browser (@segment/analytics-next batching)', true)
} else {
  console.log('NOT TRIED: Chromium is not installed, so the browser library was not tried in a browser')
}
process.exit(failed === 0 ? 0 : 1)
