import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readTls, type TlsMaterial } from '../../src/config/tls.js'

const file = (name: string): string => new URL(`tls/${name}`, import.meta.url).pathname
const read = (path: string): string => readFileSync(path, 'utf8')
const good: TlsMaterial = { key: file('key.pem'), cert: file('cert.pem'), ca: file('cert.pem') }
const now = Date.parse('2027-01-01')

function problemsOf(tls: Partial<TlsMaterial>, at = now): readonly string[] {
  return readTls({ ...good, ...tls }, read, at).problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`)
}

test('paths become PEM texts, and PEM texts stay what they are', () => {
  const texts = { key: read(good.key), cert: read(good.cert), ca: read(good.ca) }

  expect(readTls(good, read, now)).toEqual({ material: texts, problems: [] })
  expect(readTls(texts, read, now)).toEqual({ material: texts, problems: [] })
})

test('a file that is not there is named by its option', () => {
  expect(problemsOf({ key: file('none.pem') })).toEqual(['tls.key: cannot be read (ENOENT)'])
})

test('a key of another certificate is refused', () => {
  expect(problemsOf({ key: file('other-key.pem') })).toEqual(['tls.key: not the key of tls.cert'])
})

test('an expired certificate is refused with its date', () => {
  const problems = problemsOf({}, Date.parse('2200-01-01'))

  expect(problems).toHaveLength(2)
  expect(problems[0]).toMatch(/^tls\.cert: expired at \w{3} .* 21\d\d GMT$/)
})

test('a text that is no certificate and one that is no key are refused', () => {
  expect(problemsOf({ cert: file('key.pem') })).toEqual(['tls.cert: not a certificate'])
  expect(problemsOf({ key: file('cert.pem') })).toEqual(['tls.key: not the key of tls.cert'])
})
