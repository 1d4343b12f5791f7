import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
/** Within the package, so that programs find it by its name; what they find is what was built. */
const FOLDER = join(ROOT, 'dist/docs')
const PAGES = ['websockets', 'events-and-principals', 'carriers-and-accounts', 'frameworks']
/** What programs need of a package that has no types of its own. */
const KOA = `declare module 'koa' {
  export default class Koa {
    use(middleware: (ctx: any, next: () => Promise<unknown>) => unknown): void
    listen(port: number): void
  }
}`

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

function programsOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, program = '']) => program)
}

test('every program in these pages of the documentation compiles as it stands', () => {
  mkdirSync(FOLDER, { recursive: true })
  const files = PAGES.flatMap((page) => {
    return programsOf(page).map((program, i) => {
      const file = join(FOLDER, `${page}-${i}.ts`)
      writeFileSync(file, program)
      return file
    })
  })
  expect(files.length).toBeGreaterThan(12)
  files.push(join(FOLDER, 'koa.d.ts'))
  writeFileSync(join(FOLDER, 'koa.d.ts'), KOA)
  const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023', types: ['node'], skipLibCheck: true }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }))

  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')

  expect(execFileSync(process.execPath, [tsc, '-p', FOLDER], { encoding: 'utf8' })).toBe('')
})
