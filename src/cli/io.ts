import type { Environment } from '../config/config.js'

/** Everything of the outside world that commands use; tests pass their own. */
export interface CliIo {
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** Folder that paths are relative to. */
  readonly cwd: string
  readonly environment: Environment
  readonly randomBytes: (bytes: number) => Buffer
  /** Calls back on every such signal, until the returned function is called. */
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM', listener: () => void) => () => void
  /** Ends the process at once. */
  readonly exit: (code: number) => void
}

export interface TextSink {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}
