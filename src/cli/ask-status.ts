import { request, type IncomingMessage } from 'node:http'
import { z } from 'zod'
import { parseAddress } from '../address.js'
import { adminKeys, signRequest, verifyAnswer } from '../observe/admin-proof.js'
import { PROOF_HEADER, type MemberStatus } from '../observe/admin-server.js'
import { CliError, Exit } from './exit.js'
import type { CliIo } from './io.js'

const DEADLINE_MS = 2_500
const ANSWER_BYTES_MAX = 1_048_576

interface Answer {
  readonly status: number
  readonly proof: string | undefined
  readonly body: string
}

const memberStatus: z.ZodType<MemberStatus> = z.object({
  service: z.literal('session-mesh'),
  version: z.string(),
  cluster: z.string(),
  node: z.string(),
  backend: z.string(),
  startedAt: z.number(),
  sessions: z.number(),
  bytes: z.number(),
  ready: z.boolean(),
  detail: z.string(),
  peers: z.array(
    z.object({
      node: z.string(),
      address: z.string(),
      state: z.enum(['up', 'down', 'refused']),
      detail: z.string().exactOptional(),
    }),
  ),
})

/** What the member at `address` says of itself; proves our secret, and checks that the member has it too. */
export async function askStatus(address: string, secrets: readonly string[], io: CliIo): Promise<MemberStatus> {
  const [key] = adminKeys(secrets)
  const nonce = io.randomBytes(18).toString('base64url')
  const authorization = key && signRequest(key, address, io.environment.now(), nonce)
  const answer = await ask(address, authorization)

  const parsed = memberStatus.safeParse(parseJson(answer.body))
  if (answer.status === 401) throw wrongSecret(address)
  if (answer.status === 426) throw unavailable(address, 'is where a member listens for its peers; ask its admin.listen')
  if (answer.status !== 200 || !parsed.success) throw unavailable(address, 'is no member of a session-mesh cluster')
  if (key !== undefined && !verifyAnswer({ key, nonce }, answer.body, answer.proof)) throw wrongSecret(address)
  return parsed.data
}

/** One GET /status with a deadline; every failure is told as what was found there. */
async function ask(address: string, authorization: string | undefined): Promise<Answer> {
  const { host, port } = parseAddress(address) ?? { host: '127.0.0.1', port: 0 }
  return await new Promise((resolve, reject) => {
    const call = request({
      host,
      port,
      path: '/status',
      agent: false,
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: { host: address, ...(authorization === undefined ? {} : { authorization }) },
    })
    const fail = (error: Error): void => reject(unavailable(address, describeFailure(error)))
    call.on('error', fail)
    call.on('response', (response) => {
      readBody(response).then((body) => {
        const proof = response.headers[PROOF_HEADER]
        resolve({ status: response.statusCode ?? 0, proof: typeof proof === 'string' ? proof : undefined, body })
      }, fail)
    })
    call.end()
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describeFailure(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ECONNREFUSED') return 'is not reachable: nothing listens there'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `did not answer within ${DEADLINE_MS} ms`
  if (code === 'ECONNRESET' || code.startsWith('HPE_')) return 'is no member of a session-mesh cluster: no HTTP there'
  return `is not reachable (${code === '' ? error.message : code})`
}

function unavailable(address: string, what: string): CliError {
  return new CliError(Exit.unavailable, 'SESSION_MESH_UNAVAILABLE', `${address} ${what}`)
}

function wrongSecret(address: string): CliError {
  const message = `${address} is a member with another secret than this configuration's`
  return new CliError(Exit.wrongSecret, 'SESSION_MESH_WRONG_SECRET', message)
}
