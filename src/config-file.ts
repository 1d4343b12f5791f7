import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createJiti, type Jiti } from 'jiti'
import { defineConfig } from './config-input.js'
import { ConfigError, SessionMeshError } from './errors.js'

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
  const source = readSource(path)
  const loaded = await importFile(path, source).catch((error: unknown) => {
    throw new ConfigError([describeFailure(error, path)], path)
  })
  if (loaded === undefined) {
    throw new ConfigError([`${path}: no default export (expected export default defineConfig({ … }))`], path)
  }
  return loaded
}

function readSource(path: string): string {
  const extension = extname(path)
  if (!CONFIG_EXTENSIONS.some((known) => known === extension)) {
    throw new ConfigFileError(path, `unknown ending (expected one of ${CONFIG_EXTENSIONS.join(', ')})`)
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new ConfigFileError(path, 'no such file')
    if (code === 'EISDIR') throw new ConfigFileError(path, 'is a directory')
    throw new ConfigFileError(path, `cannot be read (${String(code)})`)
  }
}

/** The default export, waited for where it is a promise. */
async function importFile(path: string, source: string): Promise<unknown> {
  if (extname(path).endsWith('ts')) {
    const module: Readonly<Record<string, unknown>> = await loader().import(path)
    return await module.default
  }
  try {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href)
    return await module.default
  } catch (error) {
    // The platform's loader tells no line of a syntax error; this one does.
    if (error instanceof SyntaxError) loader().transform({ source, filename: path })
    throw error
  }
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
  const message = error instanceof Error ? error.message : String(error)
  const trace = error instanceof Error ? `${message}\n${error.stack ?? ''}` : ''
  const places = [...trace.matchAll(/(?:file:\/\/)?(\/[^\s():]+|[A-Za-z]:\\[^\s():]+):(\d+)(?::\d+)?/g)]
  const place = places.find(([, file]) => file === path)
  const [firstLine = ''] = message.split('\n')
  return `${path}${place?.[2] === undefined ? '' : `:${place[2]}`}: ${firstLine.trim()}`
}
