// "Copy as" of the dashboard: each copied text, run as it is, leaves the same behind as the request of the button.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import type { Project, Stagelet } from '../../../src/generated/rest-types.ts'
import {
  createJoinToken,
  revokeAgent,
  rotateAgentKeys,
  rotateKeys,
  switchAgent,
  testNotifier,
} from '../../../dashboard/actions/agents.ts'
import {
  copiedTexts,
  type CopiedTexts,
  type ApiAction,
} from '../../../dashboard/actions/copy-as.ts'
import {
  newObject,
  deleteObject,
  manifestNames,
  patchObject,
  patchOf,
  type Spec,
} from '../../../dashboard/actions/kinds.ts'
import * as people from '../../../dashboard/actions/people.ts'
import {
  applyChangeSet,
  editSecret,
  patchSecret,
  purgeAction,
  restoreAction,
  revealAction,
  rollBackProject,
  rollBackSecret,
  type SecretEdit,
} from '../../../dashboard/actions/secrets.ts'
import {
  deployStagelet,
  extendStagelet,
  pauseRollout,
  pauseStagelet,
  resumeRollout,
  retryRollout,
  retryStagelet,
  countPrinted,
} from '../../../dashboard/actions/stagelets.ts'
import { isStdinValue, placeholder } from '../../../dashboard/api/text.ts'
import { formManifest, restPatchOf } from '../../../dashboard/pages/forms/values.ts'
import { forms as formsOfKinds } from '../../../src/generated/forms.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { servedCommand, type ServedCommand } from '../../support/programs/served-command.ts'
import { shortGo } from '../../support/short-go.ts'
import { soak } from '../../support/soak.ts'

type Form = keyof CopiedTexts
const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
const hostile = `it's <script>"$HOME"</script>`
const place = { team: 'default', project: 'shop' }
const shop = { team: 'default', name: 'shop' }
const value = 'a "new" $value & more'
const base64 = Buffer.from(value).toString('base64')
const shopPath = '/api/v1/projects/default%2Fshop'
let controller: TestController
let folder: string
let stagelyProgram: ServedCommand

const call = (method: string, path: string, body?: unknown) =>
  controller.call(method, path, body === undefined ? {} : { body })
const must = async (method: string, path: string, body?: unknown): Promise<unknown> => {
  const answer = await call(method, path, body)
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.text === '' ? undefined : answer.json()
}

const environment = (): NodeJS.ProcessEnv => ({
  PATH: `${folder}:${process.env['PATH'] ?? ''}`,
  HOME: folder,
  KUBECONFIG: join(folder, 'kubeconfig'),
  STAGELY_SERVER: controller.url,
  STAGELY_TOKEN: controller.token,
  STAGELY_CA_FILE: join(folder, 'ca.crt'),
  ...shortGo,
})

/** Runs a text in a shell as somebody would who has pasted it. */
const run = (text: string, input: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const shell = spawn('sh', ['-c', text], { cwd: folder, env: environment() })
    let said = ''
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    shell.once('error', reject)
    shell.once('close', (code) => {
      if (code === 0) resolve(said)
      else reject(new Error(`exit ${code ?? -1} of:\n${text}\n${said}`))
    })
    shell.stdin.end(input)
  })

const withValue = (_: string, part: unknown): unknown => (isStdinValue(part) ? base64 : part)
const button = ({ request: { method, path, body } }: ApiAction): Promise<unknown> => {
  const text = JSON.stringify(body, withValue)
  return must(
    method.toUpperCase(),
    `/api/v1${path}`,
    text === undefined ? undefined : JSON.parse(text),
  )
}

/** YAML is put into a file, with values in place of the placeholders; what deletes is in a comment. */
const runForm = async (forms: CopiedTexts, form: Form, keys: readonly string[]): Promise<void> => {
  const text = forms[form] ?? ''
  const lines = keys.map(() => `${base64}\n`).join('')
  if (form === 'yaml') {
    const filled = keys.reduce((all, key) => all.replaceAll(placeholder(key), base64), text)
    await writeFile(join(folder, 'objects.yaml'), filled)
    if (/^kind:/m.test(filled)) await run('kubectl apply -f objects.yaml', '')
    for (const [, command = ''] of filled.matchAll(/^# {3}(kubectl .*)$/gm)) await run(command, '')
  } else await run(text, keys.length > 1 ? lines : value)
}

interface Case {
  readonly action: () => ApiAction
  readonly forms: readonly Form[]
  /** Keys whose new values are read. */
  readonly keys?: readonly string[]
  /** Brings about what was there before. */
  readonly before: () => Promise<unknown>
  /** What is there, without what differs at each run. */
  readonly after: () => Promise<unknown>
}

/** Forms of each action that are run; the next action begins with the next form. */
const formsEach = soak(1, 4)
let actions = 0
/** Every form, from the same state, leaves what the button leaves. */
const same = async ({ action, forms, keys = [], before, after }: Case): Promise<void> => {
  await before()
  const described = action()
  await button(described)
  const wanted = await after()
  const texts = copiedTexts(described, controller.url)
  expect(Object.keys(texts).sort()).toEqual([...forms].sort())
  for (const text of Object.values(texts)) {
    expect(text).not.toContain(controller.token)
    expect(text).not.toContain(base64)
  }
  const first = actions++
  for (const form of forms.filter((_, at) => (at + first) % forms.length < formsEach)) {
    await before()
    await runForm(copiedTexts(action(), controller.url), form, keys)
    expect(await after(), form).toEqual(wanted)
  }
}

/** Secrets with their values, by the name of the key. */
const secrets = async (): Promise<unknown> => {
  const revealed = (await must('POST', `${shopPath}/reveal`, {})) as {
    secrets: Record<string, unknown>[]
  }
  return revealed.secrets
    .map(({ key, scope, stagelet, type, value: text, value_base64: bytes }) => {
      return [key, scope, stagelet, type, text, bytes]
    })
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
}

const resetSecrets = async (): Promise<void> => {
  const path = `${shopPath}/secrets?view=full`
  const { secrets: list } = (await must('GET', path)) as { secrets: { id: string }[] }
  const operations = [
    ...list.map(({ id }) => ({ op: 'delete', id })),
    { op: 'create', key: 'OLD', scope: 'web', value: 'the old value' },
    { op: 'create', key: 'GONE', scope: 'global', value: 'will be gone' },
  ]
  await must('POST', `${shopPath}/secrets/batch`, { operations })
}

const edit = (
  op: SecretEdit['op'],
  key: string,
  scope: string,
  more: Partial<SecretEdit> = {},
): SecretEdit => ({
  op,
  key,
  scope,
  type: 'env',
  hasValue: op !== 'delete',
  ...(op === 'create' ? {} : { name: `${key.toLowerCase()}.${scope}` }),
  ...more,
})

const all = ['yaml', 'kubectl', 'stagely', 'curl'] as const
const stagelet = async (): Promise<Stagelet> =>
  (await must('GET', '/api/v1/stagelets/default%2Fshop')) as Stagelet

describe('what "copy as" gives', () => {
  beforeAll(async () => {
    controller = await startTestController({ env: { STAGELY_EGRESS_ALLOW: '127.0.0.1' } })
    folder = await mkdtemp(join(tmpdir(), 'stagely-copied-'))
    await writeFile(join(folder, 'ca.crt'), controller.ca)
    await writeFile(join(folder, 'kubeconfig'), controller.kubeConfig().exportConfig())
    stagelyProgram = await servedCommand(folder)
    await must('POST', '/api/v1/projects', { team: 'default', name: 'shop' })
    await must('POST', '/api/v1/agents', { team: 'default', name: 'box' })
    await must('POST', `${kube}/stagelets`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name: 'shop' },
      spec: {
        projectRef: { name: 'shop' },
        agentRef: { name: 'box' },
        compose: { directory: `/srv/${hostile}`, profiles: ['no'], onChange: 'Deploy' },
        ttl: '72h',
      },
    })
    await must('POST', '/api/v1/users', { name: 'ann' })
  })
  afterAll(async () => {
    stagelyProgram?.close()
    await rm(folder, { recursive: true, force: true })
    await controller?.remove()
  })

  it('makes a project', async () => {
    const path = '/api/v1/projects/default%2Fcrm'
    await same({
      action: () =>
        newObject('Project', { team: 'default', name: 'crm' }, { description: hostile }),
      forms: all,
      before: () => call('DELETE', path),
      after: async () => {
        const { name, team, description } = (await must('GET', path)) as Record<string, unknown>
        return { name, team, description }
      },
    })
  })

  it('makes, changes and deletes a secret', async () => {
    const secret = (one: SecretEdit) => ({
      action: () => editSecret(place, one),
      before: resetSecrets,
      after: secrets,
      keys: one.hasValue ? [one.key] : [],
    })
    await same({ ...secret(edit('create', 'NEW', 'web', { stagelet: 'shop' })), forms: all })
    await same({ ...secret(edit('update', 'OLD', 'web')), forms: all })
    await same({ ...secret(edit('delete', 'OLD', 'web')), forms: all })
    const file = edit('create', 'PEM', 'web', { type: 'file', file_path: `./${hostile}.pem` })
    await same({ ...secret(file), forms: all })
  })

  it('applies a review as a whole, with several new values, a move and a deletion', async () => {
    const edits = [
      edit('create', 'A', 'web'),
      edit('create', 'B', 'global'),
      edit('update', 'OLD', 'web', { hasValue: false, target: { scope: 'db' } }),
      edit('delete', 'GONE', 'global'),
    ]
    await same({
      action: () => applyChangeSet(place, edits, hostile),
      keys: ['A', 'B'],
      forms: all,
      before: resetSecrets,
      after: secrets,
    })
  })

  it('gives one secret an older value again, and reads one', async () => {
    const old = { key: 'OLD', scope: 'web', name: 'old.web' }
    const version = async (): Promise<unknown> => must('GET', `${shopPath}/secrets/old.web`)
    let kept = 0
    await same({
      action: () => rollBackSecret(place, old, kept),
      forms: ['stagely', 'curl'],
      before: async () => {
        await resetSecrets()
        kept = ((await version()) as { version: number }).version
        await must('PATCH', `${shopPath}/secrets/old.web`, { value: 'newer' })
      },
      after: secrets,
    })
    const { stagely = '', curl } = copiedTexts(revealAction(place, old), controller.url)
    expect(await run(stagely, '')).toBe('the old value')
    expect(JSON.parse(await run(curl, ''))).toMatchObject({ value: 'the old value' })
  })

  it('restores a deleted secret, and erases one', async () => {
    const [path, old] = [`${shopPath}/deleted-secrets`, `${shopPath}/secrets/old.web`]
    let gone = { id: '', key: 'OLD', scope: 'web' }
    const deleted = async () => ((await must('GET', path)) as { secrets: (typeof gone)[] }).secrets
    const before = async (): Promise<void> => {
      await resetSecrets()
      // Others of this key were deleted before, with other values.
      const { id } = (await must('GET', old)) as { id: string }
      await must('DELETE', old)
      gone = (await deleted()).find((one) => one.id === id)!
    }
    const after = async () => [await secrets(), (await deleted()).some(({ id }) => id === gone.id)]
    const forms = ['stagely', 'curl'] as const
    await same({ action: () => restoreAction(place, gone), forms, before, after })
    await same({ action: () => purgeAction(place, gone), forms, before, after })
  })

  it('goes back to a revision', async () => {
    const revision = async (): Promise<number> =>
      ((await must('GET', shopPath)) as { revision: number }).revision
    await resetSecrets()
    const at = await revision()
    const path = `${shopPath}/secrets`
    await same({
      action: () => rollBackProject(place, at),
      forms: ['stagely', 'curl'],
      after: secrets,
      before: async () => {
        await must('PATCH', `${path}/old.web`, { value: `another ${Math.random()}` })
        await expect.poll(revision).toBeGreaterThan(at)
      },
    })
  })

  it('makes, changes and deletes a notifier, and changes a project and the expiry of a secret', async () => {
    const path = '/api/v1/notifiers/default%2Fops'
    const named = { team: 'default', name: 'ops' }
    const was = { reasons: ['AgentLost'], email: { to: ['ops@example.com'] } }
    const is = { reasons: ['AgentLost'], webhook: { url: 'https://hooks.example.com/s' } }
    const specOf = (value: Spec): Spec => formManifest(formsOfKinds.Notifier, value)
    const remove = () => call('DELETE', path)
    const make = async (): Promise<void> => {
      await remove()
      await must('POST', '/api/v1/notifiers', { team: 'default', name: 'ops', ...was })
    }
    const after = async (): Promise<unknown> => {
      const answer = await call('GET', path)
      if (answer.status === 404) return 'gone'
      const { webhook, email, reasons } = answer.json()
      return { webhook, email, reasons }
    }
    const making = newObject('Notifier', named, was, specOf(was))
    await same({ action: () => making, forms: all, before: remove, after })
    const patch = patchOf(specOf(was), specOf(is))
    const restPatch = restPatchOf(formsOfKinds.Notifier, was, is)
    const editing = patchObject('Notifier', named, restPatch, patch)
    await same({ action: () => editing, forms: ['kubectl', 'curl'], before: make, after })
    const forms = ['kubectl', 'stagely', 'curl'] as const
    await same({ action: () => deleteObject('Notifier', named), forms, before: make, after })

    const project = shopPath
    const age: Spec = { secret_policy: { max_age: '90d', exempt: [hostile] } }
    await same({
      action: () => patchObject('Project', shop, age),
      forms: ['kubectl', 'curl'],
      before: () => must('PATCH', project, { secret_policy: null }),
      after: async () => ((await must('GET', project)) as Record<string, unknown>)['secret_policy'],
    })
    await must('PATCH', project, { secret_policy: null })

    const old = { key: 'OLD', scope: 'web', name: 'old.web' }
    const body: Spec = { expiry: { after: '30d', on_expiry: 'Warn' } }
    await same({
      action: () => patchSecret(place, old, body, manifestNames(body)),
      forms: ['kubectl', 'curl'],
      before: resetSecrets,
      after: async () =>
        ((await must('GET', `${project}/secrets/old.web`)) as Record<string, unknown>)['expiry'],
    })
  })

  it('sends a test message of a notifier, and says what was answered', async () => {
    const received: string[] = []
    let status = 204
    const receiver = createServer((request, response) => {
      request.on('data', (part: Buffer) => received.push(part.toString()))
      request.on('end', () => response.writeHead(status, { connection: 'close' }).end('a secret'))
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    try {
      const webhook = { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` }
      const ops = { team: 'default', name: 'ops' }
      await must('POST', '/api/v1/notifiers', { ...ops, reasons: ['Expired'], webhook })
      await same({
        action: () => testNotifier(ops),
        forms: ['stagely', 'curl'],
        before: () => Promise.resolve(received.splice(0)),
        after: () => Promise.resolve(received.map((text) => text.includes('"reason":"Test"'))),
      })
      expect(received).toHaveLength(1)
      const { stagely = '', curl } = copiedTexts(testNotifier(ops), controller.url)
      const answer = 'the receiver answers with status 503'
      status = 503
      await expect(run(stagely, '')).rejects.toThrow(`exit 1 of:\n${stagely}\n`)
      await expect(run(stagely, '')).rejects.toThrow(`notifier/ops: ${answer}`)
      expect(JSON.parse(await run(curl, ''))).toEqual({ delivered: false, answer })
      const audit = await must('GET', '/api/v1/audit?kind=Notifier&action=test')
      expect((audit as { rows: object[] }).rows).toHaveLength(4 + Math.min(formsEach, 2))
    } finally {
      receiver.close()
      await call('DELETE', '/api/v1/notifiers/default%2Fops')
    }
  })

  it('pauses and resumes a stagelet, deploys, tries again, and asks for a leak test', async () => {
    const pause = (paused: boolean) => must('PATCH', '/api/v1/stagelets/default%2Fshop', { paused })
    for (const paused of [false, true]) {
      await pause(paused)
      const now = await stagelet()
      await same({
        action: () => pauseStagelet(now),
        forms: all,
        before: () => pause(paused),
        after: async () => {
          const { paused: isPaused, compose, agent, project } = await stagelet()
          return { isPaused, compose, agent, project }
        },
      })
    }
    for (const [actionOf, annotation] of [
      [deployStagelet, 'redeploy'],
      [extendStagelet, 'extend'],
      [retryStagelet, 'retry'],
    ] as const) {
      let last = ''
      const read = async (): Promise<string> => {
        const { metadata } = (await must('GET', `${kube}/stagelets/shop`)) as {
          metadata: { annotations?: Record<string, string> }
        }
        return metadata.annotations?.[`stagely.dev/${annotation}`] ?? ''
      }
      await same({
        action: () => actionOf(shop),
        forms: ['kubectl', 'stagely', 'curl'],
        before: async () => {
          last = await read()
        },
        after: async () => (await read()) !== last,
      })
    }
    const counting = copiedTexts(countPrinted(shop), controller.url)
    for (const text of [counting.curl, counting.stagely ?? ''])
      await expect(run(text, '')).rejects.toThrow('has no connection')
  })

  it('pauses, resumes and retries a rollout', async () => {
    const path = `${shopPath}/rollout`
    // A rollout that only has defaults may be written out, or not.
    const defaults = { onFailure: 'Stop', progressDeadlineSeconds: 600 }
    const specOf = async (): Promise<unknown> => {
      const { spec } = (await must('GET', `${kube}/projects/shop`)) as { spec?: Project }
      return { ...spec, rollout: { ...defaults, ...spec?.rollout } }
    }
    const forms = ['kubectl', 'stagely', 'curl'] as const
    const resume = () => must('POST', `${path}/resume`)
    const pause = () => must('POST', `${path}/pause`)
    await same({ action: () => pauseRollout(shop), forms, before: resume, after: specOf })
    await same({ action: () => resumeRollout(shop), forms, before: pause, after: specOf })
    const retry = { action: () => retryRollout(shop), forms: ['stagely', 'curl'] as const }
    await same({ ...retry, before: resume, after: specOf })
  })

  it('names a machine, lets it join, pauses, drains, rotates and revokes', async () => {
    const agent = { team: 'default', name: 'web-1' }
    const path = `/api/v1/agents/default%2Fweb-1`
    const remove = () => call('DELETE', `${kube}/agents/web-1`)
    const specOf = async (): Promise<unknown> => {
      const { name, paused, drained } = (await must('GET', path)) as Record<string, unknown>
      return { name, paused, drained }
    }
    const made = { action: () => newObject('Agent', agent), before: remove, after: specOf }
    await same({ ...made, forms: all })
    for (const field of ['paused', 'drained'] as const)
      await same({
        action: () => switchAgent({ ...agent, paused: false, drained: false }, field),
        forms: field === 'paused' ? ['kubectl', 'curl'] : ['kubectl', 'stagely', 'curl'],
        before: () => must('PATCH', path, { [field]: false }),
        after: specOf,
      })
    const join = copiedTexts(createJoinToken(agent, 600), controller.url)
    expect(JSON.parse(await run(join.curl, ''))).toMatchObject({ command: /join/ })
    expect(await run(join.stagely ?? '', '')).toMatch(/^stagely-join|^[\w.-]{40,}/)
    // The command waits until the machine has its new keys; no machine has joined here.
    const rotate = copiedTexts(rotateAgentKeys(agent), controller.url)
    await run(rotate.curl, '')
    expect(rotate.stagely).toBe('stagely admin agent-keys web-1 -n default')
    const { curl, stagely = '' } = copiedTexts(revokeAgent(agent), controller.url)
    await run(curl, '')
    await run(stagely, '')
  })

  it('adds members, changes and removes them, makes tokens, and rotates keys', async () => {
    const members = async (): Promise<unknown> => {
      const { members: list } = (await must('GET', '/api/v1/teams/default/members')) as {
        members: { user: string; role: string }[]
      }
      return list.map(({ user, role }) => ({ user, role }))
    }
    const path = '/api/v1/teams/default/members/ann'
    const remove = () => call('DELETE', path)
    const add = () => must('PUT', path, { role: 'viewer' })
    const forms = ['stagely', 'curl'] as const
    const of = (role: TeamRole, isNew: boolean) =>
      people.setMember('default', { user: 'ann', role, isNew })
    await same({ action: () => of('viewer', true), forms, before: remove, after: members })
    await same({ action: () => of('developer', false), forms, before: add, after: members })
    const removal = () => people.removeMember('default', 'ann')
    await same({ action: removal, forms, before: add, after: members })
    for (const team of ['default', undefined]) {
      const names = ['a', 'b']
      const [curl, stagely] = names.map((name) => {
        const expiresAt = '2099-01-01T00:00:00.000Z'
        const role = team === undefined ? undefined : ('viewer' as const)
        const token = { team, name, role, readOnly: true, days: 1, expiresAt }
        return copiedTexts(people.createToken(token), controller.url)
      })
      await run(curl?.curl ?? '', '')
      await run(stagely?.stagely ?? '', '')
      const list = team === undefined ? '/api/v1/tokens' : '/api/v1/teams/default/tokens'
      const { tokens } = (await must('GET', list)) as { tokens: { name: string }[] }
      for (const name of names) expect(tokens.map((one) => one.name)).toContain(name)
    }
    const keys = copiedTexts(rotateKeys('data'), controller.url)
    const isDone = async (): Promise<boolean> => {
      const { rotations } = (await must('GET', '/api/v1/keys')) as {
        rotations: { state: string }[]
      }
      return rotations.every(({ state }) => state !== 'Running')
    }
    const ofShop = copiedTexts(rotateKeys('data', shop), controller.url)
    for (const text of [keys.curl, keys.stagely, ofShop.curl, ofShop.stagely]) {
      await expect.poll(isDone).toBe(true)
      await run(text ?? '', '')
    }
    // There is no newer master key here, as both are told.
    const { curl, stagely = '' } = copiedTexts(rotateKeys('master'), controller.url)
    for (const text of [curl, stagely])
      await expect(run(text, '')).rejects.toThrow(/every key is wrapped by .* already/)
  })

  it('adds users, disables and enables them, revokes tokens, and ends sessions', async () => {
    const forms = ['stagely', 'curl'] as const
    const users = async (): Promise<unknown> => {
      const { users: list } = (await must('GET', '/api/v1/users')) as {
        users: { name: string; email?: string; disabled: boolean }[]
      }
      return list.map(({ name, email, disabled }) => ({ name, email, disabled }))
    }
    const remove = () => call('DELETE', '/api/v1/users/bob')
    const made = { forms, before: remove, after: users }
    await same({ ...made, action: () => people.createUser('bob', 'bob@example.com') })
    for (const disabled of [true, false])
      await same({
        action: () => people.disableUser('bob', disabled),
        forms,
        before: () => must('PATCH', '/api/v1/users/bob', { disabled: !disabled }),
        after: users,
      })
    for (const team of ['default', undefined]) {
      const path = team === undefined ? '/api/v1/tokens' : '/api/v1/teams/default/tokens'
      const named = { id: '', name: hostile }
      await same({
        action: () => people.revokeToken(named, team),
        forms,
        before: async () => {
          const role = team === undefined ? {} : { role: 'viewer' }
          const { id } = (await must('POST', path, { name: 'short', ...role })) as { id: string }
          named.id = id
        },
        after: async () => {
          const { tokens } = (await must('GET', path)) as { tokens: { name: string }[] }
          return tokens.filter(({ name }) => name === 'short')
        },
      })
    }
    const sessions = async (): Promise<{ id: string }[]> =>
      ((await must('GET', '/api/v1/me/sessions')) as { sessions: { id: string }[] }).sessions
    let last = { id: '' }
    await same({
      action: () => people.logOutBrowser(last),
      forms,
      before: async () => {
        const { token } = controller
        await must('POST', '/api/v1/session', { token })
        last = (await sessions())[0] ?? last
      },
      after: async () => (await sessions()).filter(({ id }) => id === last.id),
    })
  })
})
