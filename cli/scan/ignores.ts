// `.stagely-scan.yaml`: findings that are known, by key and path, each with a reason and an end. Never by line: another
// value may come there.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { CliError } from '../errors.ts'

export const ignoresFile = '.stagely-scan.yaml'

const schema = z.strictObject({
  ignores: z.array(
    z.strictObject({
      key: z.string().min(1),
      path: z.string().min(1),
      reason: z.string().trim().min(3),
      until: z.iso.date(),
    }),
  ),
})

export type Ignore = z.infer<typeof schema>['ignores'][number]

/** CliError that names each fault. An absent file ignores nothing. */
export const readIgnores = async (folder: string): Promise<Ignore[]> => {
  const text = await readFile(join(folder, ignoresFile), 'utf8').catch(() => undefined)
  if (text === undefined) return []
  const { parseAllDocuments } = await import('../../src/formats/yaml.ts')
  const [document] = parseAllDocuments(text)
  // Dates stay text.
  const parsed = schema.safeParse(document?.toJS())
  if (parsed.success) return parsed.data.ignores
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  )
  throw new CliError(
    `${ignoresFile} cannot be used: ${faults.join('; ')}. Each entry has key, path, reason and until (2026-12-31)`,
    2,
  )
}

interface Judged<T> {
  readonly kept: readonly T[]
  /** Entries that are past their end, or that nothing was found for. */
  readonly told: readonly string[]
}

export const applyIgnores = <T extends { readonly key: string; readonly path: string }>(
  findings: readonly T[],
  ignores: readonly Ignore[],
  today: string,
): Judged<T> => {
  const open = ignores.filter(({ until }) => until >= today)
  const fits =
    ({ key, path }: Ignore) =>
    (finding: T) =>
      finding.key === key && finding.path === path
  const textOf = ({ key, path, until }: Ignore): string => `${key} in ${path}, until ${until}`
  return {
    kept: findings.filter((finding) => !open.some((ignore) => fits(ignore)(finding))),
    told: [
      ...ignores.filter(({ until }) => until < today).map((i) => `has ended: ${textOf(i)}`),
      ...open.filter((i) => !findings.some(fits(i))).map((i) => `is not needed: ${textOf(i)}`),
    ],
  }
}
