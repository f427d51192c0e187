// Which shape of answer the client asked for. The first entry that we can give wins.
import { StagelyError } from '../../../src/kernel/errors.ts'

type Shape = 'object' | 'Table' | 'PartialObjectMetadata'

export interface Wanted {
  readonly shape: Shape
  readonly yaml: boolean
}

const plain: Wanted = { shape: 'object', yaml: false }

/** NotAcceptable when every entry is unknown. */
export const negotiate = (accept: string | undefined): Wanted => {
  if (accept === undefined || accept.trim() === '') return plain
  for (const entry of accept.split(',')) {
    const wanted = wantedBy(entry)
    if (wanted !== undefined) return wanted
  }
  throw new StagelyError(
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io',
  )
}

const wantedBy = (entry: string): Wanted | undefined => {
  const [type = '', ...parts] = entry.split(';').map((part) => part.trim())
  const yaml = type === 'application/yaml'
  if (!yaml && !['application/json', 'application/*', '*/*'].includes(type)) return undefined
  const parameters = new Map(parts.map((part) => part.split('=', 2) as [string, string]))
  const as = parameters.get('as')
  if (as === undefined) return { shape: 'object', yaml }
  if (parameters.get('g') !== 'meta.k8s.io') return undefined
  if (as === 'Table' && ['v1', 'v1beta1'].includes(parameters.get('v') ?? ''))
    return { shape: 'Table', yaml }
  const partial = as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'
  return partial && parameters.get('v') === 'v1'
    ? { shape: 'PartialObjectMetadata', yaml }
    : undefined
}

/** True when the client takes aggregated discovery; anything else gets the legacy lists. */
export const wantsAggregated = (accept: string | undefined): boolean =>
  (accept ?? '')
    .split(',')
    .some(
      (entry) => entry.includes('as=APIGroupDiscoveryList') && /;\s*v=v2(;|$)/.test(entry.trim()),
    )
