import { dirname, join, relative, resolve, sep } from 'node:path'
import { startVitest, type Vite } from 'vitest/node'

const ROOT = join(import.meta.dirname, '../..')
const SOURCES = join(ROOT, 'src') + sep

export type TestRun =
  | { readonly type: 'green' }
  | { readonly type: 'red'; readonly test: string }
  /** They could not be run at all. */
  | { readonly type: 'broken'; readonly reason: string }

/** Runs test files (below test/, without extension) against a built tree instead of src/. */
export async function runTests(tree: string, files: readonly string[]): Promise<TestRun> {
  const include = files.map((file) => `test/${file}.test.ts`)
  const vitest = await startVitest(
    'test',
    [],
    { root: ROOT, config: false, watch: false, include, reporters: [{}], testTimeout: 300_000 },
    { plugins: [insteadOfSources(tree)] },
  )
  try {
    const modules = vitest.state.getTestModules()
    const [error] = modules.flatMap((module) => module.errors())
    if (error !== undefined) return { type: 'broken', reason: error.message }
    if (modules.length < files.length) return { type: 'broken', reason: `not found: ${files.join(', ')}` }
    for (const module of modules) {
      for (const { name } of module.children.allTests('failed')) return { type: 'red', test: name }
    }
    return { type: 'green' }
  } finally {
    await vitest.close()
  }
}

/** Every import of a file of src/ becomes one of the same file of the tree. */
function insteadOfSources(tree: string): Vite.Plugin {
  return {
    name: 'mutant',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer === undefined || !source.startsWith('.')) return undefined
      const path = resolve(dirname(importer), source)
      return path.startsWith(SOURCES) ? join(tree, relative(SOURCES, path)) : undefined
    },
  }
}
