/** What the tests in a real browser need before they start. */
import { ensureInstalled } from '../support/installed.js'

export function setup(): void {
  ensureInstalled({
    name: 'chromium',
    tests: 'the browser tests',
    otherwise: 'apt-get install chromium, or a link of that name to a Chrome you have',
  })
}
