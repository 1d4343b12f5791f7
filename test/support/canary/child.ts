/** Preloaded into every Node.js process that a test starts (`node --import`): watches it. */
import { basename } from 'node:path'
import { FOLDER, Paper, TEST } from './paper.js'
import { watchThisProcess } from './witness.js'

const folder = process.env[FOLDER]
if (folder !== undefined) {
  const program = basename(process.argv[1] ?? 'of a text')
  watchThisProcess(new Paper(folder, () => `${process.env[TEST] ?? 'a test'} (process ${program})`))
}
