import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Change } from './mutant.js'
import { planted } from './planted.js'

const FOLDER = join(import.meta.dirname, '../../dist/mutants')

/** The build without any bug. */
export const ORIGINAL = join(FOLDER, 'base/src')

/** Gives `use` a copy of the build with the changes in it, which is gone afterwards. */
export async function withTree<T>(
  name: string,
  changes: readonly Change[],
  use: (tree: string) => Promise<T>,
): Promise<T> {
  const folder = join(FOLDER, name)
  const tree = join(folder, 'src')
  try {
    cpSync(ORIGINAL, tree, { recursive: true, filter: (path) => !path.includes(`${sep}cli`) })
    for (const change of changes) {
      const path = join(tree, `${change.file}.js`)
      writeFileSync(path, planted(readFileSync(path, 'utf8'), change))
    }
    return await use(tree)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
