/**
 * How `session-mesh status` and a member prove to each other that they hold the same cluster secret, without sending
 * it. The request's proof names the address it was meant for and the time, so that a process which is not a member
 * can neither use it elsewhere nor later; the answer's proof covers its whole body.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { deriveKey } from '../session/id.js'

/** How far apart the clocks of the two ends (one machine) may be. */
const AGE_MAX_MS = 30_000
const AUTHORIZATION = /^SessionMesh (\d{1,16})\.([\w-]{16,64})\.([\w-]{43})$/

/** What a request was signed with, to sign its answer likewise. */
export interface VerifiedRequest {
  readonly key: Buffer
  readonly nonce: string
}

/** The keys of this purpose, in the order of the secrets. */
export function adminKeys(secrets: readonly string[]): readonly Buffer[] {
  return secrets.map((secret) => deriveKey(secret, 'admin endpoint'))
}

/** The Authorization header of a request to `host` (as in the Host header). */
export function signRequest(key: Buffer, host: string, now: number, nonce: string): string {
  return `SessionMesh ${now}.${nonce}.${macOf(key, 'request', host, String(now), nonce)}`
}

/** The key and nonce of a genuine, fresh request, or undefined. */
export function verifyRequest(
  keys: readonly Buffer[],
  authorization: string | undefined,
  host: string,
  now: number,
): VerifiedRequest | undefined {
  const [, time = '', nonce = '', mac = ''] = AUTHORIZATION.exec(authorization ?? '') ?? []
  if (mac === '' || Math.abs(now - Number(time)) > AGE_MAX_MS) return undefined
  const key = keys.find((candidate) => isEqual(mac, macOf(candidate, 'request', host, time, nonce)))
  return key && { key, nonce }
}

/** The proof that goes with an answer. */
export function signAnswer({ key, nonce }: VerifiedRequest, body: string): string {
  return macOf(key, 'answer', nonce, body)
}

/** Whether an answer comes from a holder of the secret, for this very request. */
export function verifyAnswer(request: VerifiedRequest, body: string, proof: string | undefined): boolean {
  return proof !== undefined && isEqual(proof, signAnswer(request, body))
}

function macOf(key: Buffer, ...parts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
}

function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
