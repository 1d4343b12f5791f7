/** What the tests with a real Redis need before they start. */
import { ensureInstalled } from './installed.js'

export function setup(): void {
  ensureInstalled({
    name: 'redis-server',
    tests: 'the Redis tests',
    otherwise: 'apt-get install redis-server, or brew install redis',
  })
}
