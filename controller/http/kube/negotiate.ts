// Chooses the format of an answer: the best entry of Accept that this server supports.
import { parseAccept, type Accept } from 'hono/utils/accept'
import { StagelyError } from '../../../src/kernel/errors.ts'

type Shape = 'object' | 'Table' | 'PartialObjectMetadata'

export interface WantedForm {
  readonly shape: Shape
  readonly yaml: boolean
}

/** The accepted types, best first: by `q`, then by specificity. */
const clausesOf = (accept: string | undefined): Accept[] => {
  const stars = ({ type }: Accept): number => type.split('*').length
  if (accept === undefined || accept.trim() === '') return [{ type: '*/*', params: {}, q: 1 }]
  return parseAccept(accept)
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q || stars(a) - stars(b))
}

const firstOf = <T>(
  accept: string | undefined,
  wantedBy: (clause: Accept) => T | undefined,
  accepted: string,
): T => {
  for (const clause of clausesOf(accept)) {
    const wanted = wantedBy(clause)
    if (wanted !== undefined) return wanted
  }
  throw new StagelyError(
    'NotAcceptable',
    `only the following media types are accepted: ${accepted}`,
  )
}

const isJson = ({ type }: Accept): boolean =>
  ['application/json', 'application/*', '*/*'].includes(type.toLowerCase())

/** NotAcceptable when no entry is supported. */
export const negotiate = (accept: string | undefined): WantedForm =>
  firstOf(
    accept,
    wantedBy,
    'application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io',
  )

const wantedBy = (clause: Accept): WantedForm | undefined => {
  const { as, g, v = '' } = clause.params
  const yaml = clause.type.toLowerCase() === 'application/yaml'
  if (!yaml && !isJson(clause)) return undefined
  if (as === undefined) return { shape: 'object', yaml }
  if (g !== 'meta.k8s.io') return undefined
  if (as === 'Table' && ['v1', 'v1beta1'].includes(v)) return { shape: 'Table', yaml }
  const partial = as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'
  return partial && v === 'v1' ? { shape: 'PartialObjectMetadata', yaml } : undefined
}

/**
 * For discovery: true when the client wants all groups in one document. NotAcceptable when it accepts
 * no JSON. Other parameters are ignored: clients would give up at an error.
 */
export const wantsAggregated = (accept: string | undefined): boolean =>
  firstOf(
    accept,
    (clause) => {
      if (!isJson(clause)) return undefined
      const { as, v } = clause.params
      if (as !== 'APIGroupDiscoveryList') return false
      return v === 'v2' ? true : undefined
    },
    'application/json, application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  )
