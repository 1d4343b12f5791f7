import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
/** Within the package, so that programs find it by its name; what they find is what was built. */
const FOLDER = join(ROOT, 'dist/docs')
const PAGES = ['websockets', 'events-and-principals']

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

function programsOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, program = '']) => program)
}

test('every program in the documentation of sockets, events and principals compiles as it stands', () => {
  mkdirSync(FOLDER, { recursive: true })
  const files = PAGES.flatMap((page) => {
    return programsOf(page).map((program, i) => {
      const file = join(FOLDER, `${page}-${i}.ts`)
      writeFileSync(file, program)
      return file
    })
  })
  expect(files.length).toBeGreaterThan(4)
  const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023', types: ['node'], skipLibCheck: true }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }))

  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')

  expect(execFileSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' })).toBe('')
})
