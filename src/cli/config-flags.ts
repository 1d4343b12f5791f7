import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CAC, Command } from 'cac'
import { CONFIG_EXTENSIONS, ConfigFileError, loadConfigFile } from '../config/file.js'
import { resolveConfig, type ConfigOverrides, type ResolvedConfig } from '../config/config.js'
import type { CliIo } from './io.js'

/** The configuration a command works with, and where it came from. */
export interface LoadedConfig {
  readonly path: string
  readonly config: ResolvedConfig
}

/** The flag that names the configuration file. */
export function withConfigFlag(command: Command): Command {
  return command.option('--config <path>', 'Configuration file (default: cluster.config.ts, .mts, .js or .mjs here)')
}

/** The flags that say which node of the configured cluster this one is. */
export function withNodeFlags(command: Command): Command {
  return withConfigFlag(command)
    .option('--node <id>', 'Name of this node')
    .option('--listen <host:port>', 'Where this node listens for its peers')
    .option('--advertise <host:port>', 'Where peers reach this node, if not there')
    .option('--peers <list>', 'Addresses of the nodes, separated by commas')
}

/** Loads and checks the configuration that the flags name. */
export async function loadConfig(cli: CAC, io: CliIo): Promise<LoadedConfig> {
  const given = textFlag(cli, 'config')
  const path = given === undefined ? findConfigFile(io.cwd) : resolve(io.cwd, given)
  const overrides: ConfigOverrides = {
    node: textFlag(cli, 'node'),
    listen: textFlag(cli, 'listen'),
    advertise: textFlag(cli, 'advertise'),
    peers: textFlag(cli, 'peers'),
  }
  return { path, config: resolveConfig(await loadConfigFile(path), io.environment, overrides, path) }
}

/** A flag exactly as it was typed; the parser would make a number of `--node 007`. */
export function textFlag(cli: CAC, name: string): string | undefined {
  const words = cli.rawArgs
  const at = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  if (at < 0) return undefined
  return words[at] === `--${name}` ? words[at + 1] : words[at]?.slice(name.length + 3)
}

function findConfigFile(cwd: string): string {
  const candidates = CONFIG_EXTENSIONS.map((extension) => join(cwd, `cluster.config${extension}`))
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found !== undefined) return found
  throw new ConfigFileError(join(cwd, 'cluster.config.ts'), 'no such file (--config names another)')
}
