// Options of a DELETE, in its body or its query.
import * as z from 'zod'
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { isRecord } from '../../../src/kernel/record.ts'
import { faultOfIssue } from '../../../src/resources/validation/faults.ts'
import type { AppContext } from '../env.ts'
import { mediaType, parseAs, readBytes } from './body.ts'
import { isTrueParam } from './params.ts'
import { kubeInvalid } from './status.ts'

/**
 * metav1 DeleteOptions. propagationPolicy has an effect on namespaces only. gracePeriodSeconds has
 * none, but is checked.
 */
const deleteOptions = z
  .object({
    preconditions: z
      .object({ uid: z.string().nullish(), resourceVersion: z.string().nullish() })
      .nullish(),
    propagationPolicy: z.enum(['Orphan', 'Background', 'Foreground']).nullish(),
    orphanDependents: z.boolean().nullish(),
    gracePeriodSeconds: z.int().nullish(),
    dryRun: z.array(z.literal('All')).nullish(),
  })
  .refine(
    ({ propagationPolicy, orphanDependents }) =>
      (propagationPolicy ?? null) === null || (orphanDependents ?? null) === null,
    {
      path: ['propagationPolicy'],
      message: 'orphanDependents and deletionPropagation cannot be both set',
    },
  )

/** The options in the query. */
const deleteQuery = (c: AppContext): Record<string, unknown> => {
  const { propagationPolicy, orphanDependents: orphan, gracePeriodSeconds: seconds } = c.req.query()
  return {
    ...defined({ propagationPolicy }),
    ...(orphan !== undefined && { orphanDependents: isTrueParam(orphan) }),
    ...(seconds !== undefined && { gracePeriodSeconds: wholeNumber(seconds) }),
  }
}

const wholeNumber = (text: string): number => {
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw new StagelyError('BadRequest', 'gracePeriodSeconds must be a whole number')
}

interface DeleteOptions {
  readonly preconditions?: { uid?: string; resourceVersion?: string }
  readonly dryRun: boolean
  /** True: dependents are deleted first, whatever they are. */
  readonly foreground: boolean
}

const bounds = { bytes: 64 * 1024, yamlSigns: 1_000 }

/** Reads the options. The body of a DELETE is optional; client-node sends an empty one. */
export const readDeleteOptions = async (c: AppContext): Promise<DeleteOptions> => {
  const bytes = await readBytes(c, bounds.bytes)
  const parsed = bytes.length === 0 ? undefined : parseAs(mediaType(c), bytes, bounds.yamlSigns)
  const body = (await parsed)?.content ?? {}
  if (!isRecord(body))
    throw new StagelyError('BadRequest', 'the body of a DELETE must be DeleteOptions')
  const given = { ...deleteQuery(c), ...body }
  const { data, error } = deleteOptions.safeParse(given)
  if (error !== undefined)
    throw kubeInvalid(
      { kind: 'DeleteOptions', group: 'meta.k8s.io' },
      '',
      error.issues.map((issue) => faultOfIssue(issue, '', given, () => false)),
    )
  const { uid, resourceVersion } = data.preconditions ?? {}
  const preconditions = {
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  }
  const dryRun = (data.dryRun ?? []).length > 0
  const foreground = data.propagationPolicy === 'Foreground'
  return {
    dryRun,
    foreground,
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
  }
}
