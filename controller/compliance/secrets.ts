// The lives of a project's values, from its history and from the audit log. Pure.
import type { ReportedSecret } from '../../src/audit/compliance.ts'
import { defined } from '../../src/kernel/defined.ts'
import { durationMs } from '../../src/resources/duration.ts'
import type {
  AuditFact,
  ComplianceFacts,
  VersionFact,
} from '../../src/store/keys/compliance-facts.ts'
import { isWithin, lifetimeOf, type Life, type Limit } from './lifetimes.ts'
import type { Period } from './rules.ts'

interface Version extends Life {
  readonly version: number
}

interface SecretLife {
  readonly name: string
  readonly place: VersionFact | undefined
  readonly versions: readonly Version[]
  readonly deleted: AuditFact | undefined
}

const versionIn = ({ detail }: AuditFact): number | undefined =>
  typeof detail['version'] === 'number' ? detail['version'] : undefined

const ends: ReadonlySet<string> = new Set(['delete', 'purge'])

/** The rows of one name, cut where its secret ended: another secret may have the name afterwards. */
const livesOf = (rows: readonly AuditFact[]): AuditFact[][] => {
  const lives: AuditFact[][] = []
  let open: AuditFact[] = []
  for (const row of rows) {
    // A purge after the deletion ends nothing more; a restored secret goes on.
    if (row.action === 'purge' && open.length === 0) continue
    if (row.action === 'restore' && open.length === 0) open = lives.pop() ?? []
    open.push(row)
    if (!ends.has(row.action)) continue
    lives.push(open)
    open = []
  }
  return open.length === 0 ? lives : [...lives, open]
}

const chained = (
  rows: readonly { version: number; at: number; by: string; valueSince?: number }[],
  endMs: number | undefined,
): Version[] =>
  rows.map(({ version, at, by, valueSince }, i) => ({
    version,
    since: at,
    by,
    until: rows[i + 1]?.at ?? endMs,
    ...defined({ valueSince }),
  }))

/** `kept`: versions that the history holds. What it no longer holds, the audit log names. */
const oneSecret = (
  name: string,
  life: readonly AuditFact[],
  kept: readonly VersionFact[],
): SecretLife => {
  const last = life.at(-1)
  const deleted = last !== undefined && ends.has(last.action) ? last : undefined
  const firstSeen = new Map<string, number>()
  const keptVersions = kept.map(({ version, at, by, digest }) => {
    const valueSince = firstSeen.get(digest) ?? at
    firstSeen.set(digest, valueSince)
    return { version, at, by, valueSince }
  })
  const oldest = keptVersions[0]?.version ?? Infinity
  const earlier = life.flatMap((row) => {
    const version = versionIn(row)
    return version === undefined || version >= oldest
      ? []
      : [{ version, at: Date.parse(row.at), by: row.by }]
  })
  const end = deleted === undefined ? undefined : Date.parse(deleted.at)
  return {
    name,
    place: kept.at(-1),
    versions: chained([...earlier, ...keptVersions], end),
    deleted,
  }
}

const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

/** A life is that of the kept versions that were made within it. */
const toldOf = ({ versions, secrets }: ComplianceFacts): SecretLife[] => {
  const byName = grouped(secrets, ({ name }) => name)
  const lives: SecretLife[] = []
  const taken = new Set<string>()
  const uids = grouped(versions, ({ uid }) => uid)
  for (const [name, rows] of byName)
    for (const life of livesOf(rows)) {
      const [from, to] = [Date.parse(life[0]!.at), Date.parse(life.at(-1)!.at)]
      const isOpen = !ends.has(life.at(-1)!.action)
      const match = [...uids.values()].find(
        ([first]) =>
          first?.name === name &&
          !taken.has(first.uid) &&
          first.at >= from - 1_000 &&
          (isOpen || first.at < to + 1_000),
      )
      if (match !== undefined) taken.add(match[0]!.uid)
      lives.push(oneSecret(name, life, match ?? []))
    }
  for (const [uid, kept] of uids)
    if (!taken.has(uid)) lives.push(oneSecret(kept[0]!.name, [], kept))
  return lives
}

/** How old the values of a key may be. */
const limitsOf = (periods: readonly Period[], key: string | undefined): Limit[] =>
  periods.map(({ fromMs, rules: { secretPolicy: policy } }) => {
    const isExempt = key !== undefined && policy?.exempt?.includes(key) === true
    const isRuled = policy !== undefined && !isExempt
    return { fromMs, everyMs: isRuled ? durationMs(policy.maxAge) : undefined }
  })

export const reportSecrets = (
  facts: ComplianceFacts,
  periods: readonly Period[],
  { sinceMs, nowMs }: { sinceMs: number; nowMs: number },
): ReportedSecret[] => {
  const exempt = periods.at(-1)?.rules.secretPolicy?.exempt ?? []
  return toldOf(facts)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .flatMap(({ name, place, versions, deleted }): ReportedSecret[] => {
      const isExempt = place !== undefined && exempt.includes(place.key)
      const limits = limitsOf(periods, place?.key)
      const values = versions
        .filter((version) => isWithin(version, sinceMs))
        .map((version) => ({ version: version.version, ...lifetimeOf(version, limits, nowMs) }))
      if (values.length === 0) return []
      const where = defined({
        key: place?.key,
        scope: place?.scope,
        stagelet: place?.stagelet ?? undefined,
        environments: place?.environments ? [...place.environments] : undefined,
      })
      const end = defined({ deleted_at: deleted?.at, deleted_by: deleted?.by })
      return [{ name, ...where, exempt: isExempt, ...end, values }]
    })
}
