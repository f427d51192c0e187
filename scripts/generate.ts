// `npm run generate` writes the generated files; `--check` fails when one is stale.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type * as z from 'zod'
import { loadAll } from '../cli/command-line.ts'
import { openApiDocument } from '../controller/http/rest/openapi.ts'
import { renderCrd } from '../src/resources/schemas/crd.ts'
import { crdKinds } from '../src/kinds/index.ts'
import { specForm } from '../src/resources/schemas/form-fields.ts'
import type { Kind } from '../src/resources/define-kind.ts'
import { renderCompletionTable } from './lib/completion-table.ts'
import { renderProofPage } from './proof/page.ts'
import type { Proofs } from './proof/promises.ts'
import { renderTypes, type Names, type OpenApi } from './lib/openapi-types.ts'
import { renderAlerts } from './reference/alerts.ts'
import { renderCommands } from './reference/commands.ts'
import { renderConditions } from './reference/conditions.ts'
import { renderKinds } from './reference/kinds.ts'
import { renderRest } from './reference/rest.ts'
import { renderRights } from './reference/rights.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The chart is packed and installed without the rest, so it has a copy. A link would be lost by archives and some clones. */
const crdDirs = [join(root, 'crds'), join(root, 'charts/stagely/files/crds')]
const check = process.argv.includes('--check')

const render = (kind: Kind): string =>
  `# Generated from src/kinds by "npm run generate". Do not edit.\n${stringify(renderCrd(kind), { lineWidth: 120, aliasDuplicateObjects: false })}`

const wanted = new Map(
  crdDirs.flatMap((dir) =>
    crdKinds.map((kind): [string, string] => [
      join(dir, `${kind.group}_${kind.plural}.yaml`),
      render(kind),
    ]),
  ),
)

/**
 * Shapes that the dashboard and the command line name, and the answer that each is. A part comes before
 * the shape that has it.
 */
const names: Names = {
  Condition: ['getProject', 'conditions'],
  Service: ['getStagelet', 'services'],
  Project: ['getProject'],
  Stagelet: ['getStagelet'],
  Agent: ['getAgent'],
  Secret: ['getSecret'],
  SecretVersion: ['listSecretVersions', 'versions'],
  Usage: ['secretUsage', 'usage'],
  SecretLinks: ['secretLinks'],
  Revision: ['listRevisions', 'revisions'],
  RolloutStagelet: ['getRollout', 'stagelets'],
  Rollout: ['getRollout'],
  KeptRollout: ['listRollouts', 'rollouts'],
  Happened: ['listActivity', 'activity'],
  Receipt: ['getRevisionReceipt'],
  StageletEvent: ['listEvents', 'events'],
  Printed: ['countPrinted'],
  Where: ['whereIsSecret'],
  Fingerprints: ['getFingerprints'],
  FingerprintMatch: ['matchFingerprints', 'matches'],
  FoundSecret: ['listFindings', 'findings'],
  AuditRow: ['listAudit', 'rows'],
  Member: ['listMembers', 'members'],
  User: ['listUsers', 'users'],
  Token: ['listTokens', 'tokens'],
  Keys: ['getKeys'],
  Me: ['getMe'],
  UserWithTeams: ['getUser'],
  Team: ['getTeam'],
  Session: ['listMySessions', 'sessions'],
  Store: ['getSecretStore'],
  StoreKeys: ['findStoreKeys'],
  Notifier: ['getNotifier'],
  TrustedIssuer: ['getTrustedIssuer'],
  Rotation: ['getRotation'],
  RotationBreak: ['rotationBreaks', 'services'],
  RotationStep: ['rotationHistory', 'steps'],
  AccessRequest: ['getAccessRequest'],
  AccessReach: ['accessReach', 'secrets'],
  AccessNow: ['accessNow'],
  ReadSecret: ['listRevealed', 'secrets'],
  Erasure: ['erasePerson'],
  SearchResult: ['search', 'results'],
  DeletedSecret: ['listDeletedSecrets', 'secrets'],
  Propagation: ['getPropagation'],
  SetDiff: ['diffRevisions'],
  Rollback: ['rollbackProject'],
  KeyRotation: ['rotateKeys'],
  SealingKey: ['getSealingKey'],
  SecretValue: ['revealSecrets', 'secrets'],
}
const typesFile = join(root, 'src/generated/rest-types.ts')
wanted.set(typesFile, renderTypes(openApiDocument('') as unknown as OpenApi, names))

const proofPage = join(root, 'docs/proof.md')
const proofs = JSON.parse(readFileSync(join(root, 'docs/proof.json'), 'utf8')) as Proofs
wanted.set(proofPage, renderProofPage(proofs))

const commands = await loadAll()
const completionFile = join(root, 'cli/generated/completion-table.ts')
wanted.set(completionFile, renderCompletionTable(commands))
const referenceDir = join(root, 'docs/reference')
wanted.set(join(referenceDir, 'commands.md'), await renderCommands(commands))
wanted.set(join(referenceDir, 'alerts.md'), renderAlerts())
wanted.set(join(referenceDir, 'kinds.md'), renderKinds())
wanted.set(join(referenceDir, 'rest.md'), renderRest())
wanted.set(join(referenceDir, 'rights.md'), renderRights())
wanted.set(join(referenceDir, 'conditions.md'), renderConditions())

const formsFile = join(root, 'src/generated/forms.ts')
const formLines = crdKinds
  .filter(({ form }) => form === true)
  .map(({ kind, spec }) => `  ${kind}: ${JSON.stringify(specForm(kind, spec as z.ZodObject))},\n`)
wanted.set(
  formsFile,
  `// Generated from the schemas of the kinds by "npm run generate". Do not edit.
import type { FormKind } from '../kinds/names.ts'
import type { Form } from '../resources/schemas/form.ts'

export const forms: Readonly<Record<FormKind, Form>> = {
${formLines.join('')}}
`,
)

const madeDirs = [...crdDirs, referenceDir]
for (const dir of madeDirs) mkdirSync(dir, { recursive: true })
const present = madeDirs.flatMap((dir) =>
  readdirSync(dir)
    .filter((name) => /\.(yaml|md)$/.test(name))
    .map((name) => join(dir, name)),
)
present.push(
  ...[typesFile, formsFile, completionFile, proofPage].filter((path) => existsSync(path)),
)
const contentOf = (path: string): string | undefined =>
  present.includes(path) ? readFileSync(path, 'utf8') : undefined
const stale = [
  ...[...wanted].filter(([path, content]) => contentOf(path) !== content).map(([path]) => path),
  ...present.filter((path) => !wanted.has(path)),
]

if (check && stale.length > 0) {
  console.error(
    `stale, run "npm run generate": ${stale.map((path) => relative(root, path)).join(', ')}`,
  )
  process.exit(1)
}
if (!check) {
  for (const [path, content] of wanted) writeFileSync(path, content)
  for (const path of present) if (!wanted.has(path)) rmSync(path)
}
