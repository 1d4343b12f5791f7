import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Problem } from './problems.js'

/** Key, certificate and CA as PEM texts. */
export interface TlsMaterial {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

/** Reads and checks what `tls` names: everything there, key and certificate a pair, nothing expired. */
export function readTls(
  tls: TlsMaterial,
  readFile: (path: string) => string,
  now: number,
): { readonly material: TlsMaterial; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const refuse = (option: keyof TlsMaterial, problem: string, expected: string): undefined => {
    problems.push({ path: ['tls', option], problem, expected })
    return undefined
  }
  const text = (option: keyof TlsMaterial): string | undefined => {
    if (tls[option] === undefined || tls[option].includes('-----BEGIN ')) return tls[option]
    try {
      return readFile(tls[option])
    } catch (error) {
      return refuse(option, `cannot be read (${codeOf(error)})`, 'a readable PEM file')
    }
  }
  const certificate = (option: 'cert' | 'ca', pem: string | undefined): X509Certificate | undefined => {
    if (pem === undefined) return undefined
    try {
      const parsed = new X509Certificate(pem)
      const ends = Date.parse(parsed.validTo)
      return ends > now ? parsed : refuse(option, `expired at ${parsed.validTo}`, 'a certificate that is still valid')
    } catch {
      return refuse(option, 'not a certificate', 'a certificate in PEM form')
    }
  }

  const material = { key: text('key'), cert: text('cert'), ca: text('ca') }
  const cert = certificate('cert', material.cert)
  certificate('ca', material.ca)
  if (material.key !== undefined && !isKeyOf(material.key, cert)) {
    const problem = cert === undefined ? 'not a private key' : 'not the key of tls.cert'
    refuse('key', problem, 'the private key of tls.cert, in PEM form')
  }
  return { material: { key: material.key ?? '', cert: material.cert ?? '', ca: material.ca ?? '' }, problems }
}

/** Whether the text is a private key, and that of the certificate where there is one. */
function isKeyOf(pem: string, cert: X509Certificate | undefined): boolean {
  try {
    const key = createPrivateKey(pem)
    return cert === undefined || cert.checkPrivateKey(key)
  } catch {
    return false
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
