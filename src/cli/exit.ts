/** How the process ends, after sysexits.h. */
export const Exit = {
  ok: 0,
  usage: 64,
  noConfigFile: 66,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  wrongSecret: 77,
  config: 78,
  interrupted: 130,
} as const

export type ExitCode = (typeof Exit)[keyof typeof Exit]

/** Ends the command with one line on stderr. `code` names the failure for `--json`. */
export class CliError extends Error {
  readonly exit: ExitCode
  readonly code: string
  constructor(exit: ExitCode, code: string, message: string) {
    super(message)
    this.name = 'CliError'
    this.exit = exit
    this.code = code
  }
}

/** The command line itself is wrong. */
export function usageError(message: string): CliError {
  return new CliError(Exit.usage, 'SESSION_MESH_USAGE', message)
}
