// The position of a list's next page. Opaque to clients; in the format of Kubernetes.
import { StagelyError } from '../../../src/kernel/errors.ts'

export interface ListPosition {
  readonly namespace: string
  readonly name: string
}

export interface Continue {
  /** Version of all pages; undefined: continue with the present objects. */
  readonly at: number | undefined
  readonly after: ListPosition
}

const format = 'meta.k8s.io/v1'

export const renderContinue = ({ at, after }: Continue): string => {
  const token = { v: format, rv: at ?? -1, start: `${after.namespace}/${after.name}` }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

/** BadRequest for a token that is not from this server. */
export const parseContinue = (text: string): Continue => {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown
    const { v, rv, start } = token as { v?: unknown; rv?: unknown; start?: unknown }
    if (v === format && Number.isSafeInteger(rv) && typeof start === 'string') {
      const slash = start.indexOf('/')
      const after = { namespace: start.slice(0, slash), name: start.slice(slash + 1) }
      if (slash >= 0) return { at: (rv as number) < 0 ? undefined : (rv as number), after }
    }
  } catch {
    // Not JSON: refused below.
  }
  throw new StagelyError('BadRequest', 'invalid continue token: continue key is not valid')
}
