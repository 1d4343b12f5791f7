import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createJiti, type Jiti } from 'jiti'
import { ConfigError, SessionMeshError } from '../errors.js'
import { defineConfig } from './input.js'

/** The configuration file is not there or cannot be read. Nothing was opened. */
export class ConfigFileError extends SessionMeshError {
  readonly code = 'SESSION_MESH_CONFIG_FILE'
  readonly path: string
  constructor(path: string, why: string) {
    super(`${path}: ${why}`)
    this.path = path
  }
}

/** Endings that `loadConfigFile` understands, in the order in which the command line looks for them. */
export const CONFIG_EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'] as const

/** The default export of a configuration file, unchecked. Refuses with the file, and the line where there is one. */
export async function loadConfigFile(path: string): Promise<unknown> {
  checkReadable(path)
  const loaded = await importFile(path).catch((error: unknown) => {
    throw new ConfigError([describeFailure(error, path)], path)
  })
  if (loaded === undefined) {
    throw new ConfigError([`${path}: no default export (expected export default defineConfig({ … }))`], path)
  }
  return loaded
}

function checkReadable(path: string): void {
  const extension = extname(path)
  if (!CONFIG_EXTENSIONS.some((known) => known === extension)) {
    throw new ConfigFileError(path, `unknown ending (expected one of ${CONFIG_EXTENSIONS.join(', ')})`)
  }
  try {
    readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new ConfigFileError(path, 'no such file')
    if (code === 'EISDIR') throw new ConfigFileError(path, 'is a directory')
    throw new ConfigFileError(path, `cannot be read (${String(code)})`)
  }
}

/** The default export, waited for where it is a promise. */
async function importFile(path: string): Promise<unknown> {
  if (extname(path).endsWith('ts')) return await importThrough(async () => await loader().import(path))
  try {
    return await importThrough(async () => await import(pathToFileURL(path).href))
  } catch (error) {
    // The platform's loader tells no line of a syntax error; this one does.
    if (error instanceof SyntaxError && lineOf(error, path) === undefined) await loader().import(path)
    throw error
  }
}

async function importThrough(load: () => Promise<{ readonly default?: unknown }>): Promise<unknown> {
  const module = await load()
  return await module.default
}

/** What a configuration file imports as `session-mesh` is this very package, wherever the file lies. */
function loader(): Jiti {
  return createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { 'session-mesh': { defineConfig } },
  })
}

/** `path:line: what went wrong`. */
function describeFailure(error: unknown, path: string): string {
  const line = lineOf(error, path)
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return `${path}${line === undefined ? '' : `:${line}`}: ${message.trim()}`
}

/** The line of the file at which the error arose, as far as message and stack tell. */
function lineOf(error: unknown, path: string): string | undefined {
  if (!(error instanceof Error)) return undefined
  const trace = `${error.message}\n${error.stack ?? ''}`
  const places = trace.matchAll(/(?:file:\/\/)?(\/[^\s():]+|[A-Za-z]:\\[^\s():]+):(\d+)/g)
  return [...places].find(([, file]) => file === path)?.[2]
}
