// A new notifier, or another spec of one. The diff below is what a manifest would have.
import type { Notifier } from '../../../src/rest/types.ts'
import { useState } from 'preact/hooks'
import { teamsToCreateIn } from '../../app/known-teams.ts'
import { whyNot } from '../../app/session.ts'
import { useTeam } from '../../app/team.ts'
import { createObject, patchObject, patchOf } from '../../actions/kinds.ts'
import { knownSecrets, projects } from '../../live/collections.ts'
import { someOf } from '../../live/known.ts'
import { perform } from '../../ui/action.ts'
import { Checks } from '../../ui/checks.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/form-dialog.tsx'
import { changesOf, YamlDiff } from '../../ui/yaml-diff.tsx'
import { TeamField } from '../../ui/team-field.tsx'
import {
  bodyOf,
  channelWords,
  fieldsOf,
  reasons,
  reasonWords,
  specOf,
  type Channel,
  type Fields,
} from './data.ts'
import f from '../../ui/form.module.css'

interface PartProps {
  readonly fields: Fields
  readonly team: string
  readonly change: (part: Partial<Fields>) => void
}

const SecretName = ({
  label,
  value,
  team,
  required,
  onInput,
}: {
  readonly label: string
  readonly value: string
  readonly team: string
  readonly required: boolean
  readonly onInput: (name: string) => void
}) => (
  <label>
    <span>{label}</span>
    <input
      class={f['code']}
      list="controller-secrets"
      required={required}
      autocomplete="off"
      spellcheck={false}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
    <datalist id="controller-secrets">
      {knownSecrets()
        .filter((one) => one.team === team && one.audience === 'Controller')
        .map(({ name }) => (
          <option value={name} />
        ))}
    </datalist>
    <p class={f['help']}>
      The name of a secret for the controller alone: <code>audience: Controller</code>.
    </p>
  </label>
)

const WebhookFields = ({ fields, team, change }: PartProps) => (
  <>
    <label>
      <span>Address</span>
      <input
        class={f['code']}
        type="url"
        required
        value={fields.url}
        onInput={(event) => change({ url: event.currentTarget.value })}
      />
      <p class={f['help']}>With https, and without a password.</p>
    </label>
    <SecretName
      label="Signed with the key in (optional)"
      required={false}
      {...{ team, value: fields.signingKey }}
      onInput={(signingKey) => change({ signingKey })}
    />
  </>
)

const ChannelFields = (props: PartProps) => {
  const { fields, team, change } = props
  if (fields.channel === 'webhook') return <WebhookFields {...props} />
  if (fields.channel === 'slack')
    return (
      <SecretName
        label="The URL of the incoming webhook is in"
        required
        {...{ team, value: fields.slackUrl }}
        onInput={(slackUrl) => change({ slackUrl })}
      />
    )
  return (
    <label>
      <span>Addresses, one a line</span>
      <textarea
        class={f['area']}
        rows={3}
        required
        spellcheck={false}
        value={fields.to}
        onInput={(event) => change({ to: event.currentTarget.value })}
      />
    </label>
  )
}

const NameFields = ({
  name,
  team,
  onName,
  onTeam,
}: {
  readonly name: string
  readonly team: string
  readonly onName: (name: string) => void
  readonly onTeam: (team: string) => void
}) => {
  const teams = teamsToCreateIn().filter((one) => whyNot('create', 'notifiers', one) === undefined)
  return (
    <div class={f['pair']}>
      <label>
        <span>Name</span>
        <input
          required
          autofocus
          maxLength={63}
          placeholder="ops"
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => onName(event.currentTarget.value.trim())}
        />
      </label>
      <TeamField teams={teams} team={team} onTeam={onTeam} />
    </div>
  )
}

interface Props {
  /** undefined: a new one. */
  readonly edited: Notifier | undefined
  readonly onDone: () => void
  readonly onClose: () => void
}

export const NotifierForm = ({ edited, onDone, onClose }: Props) => {
  const chosen = useTeam()
  const [team, setTeam] = useState(edited?.team ?? chosen ?? teamsToCreateIn()[0] ?? 'default')
  const [name, setName] = useState(edited?.name ?? '')
  const [fields, setFields] = useState(() => fieldsOf(edited))
  const change = (part: Partial<Fields>): void => setFields({ ...fields, ...part })
  const before = edited === undefined ? {} : bodyOf(fieldsOf(edited))
  const [was, is] = [specOf(before), specOf(bodyOf(fields))]
  const named = { team, name }
  const action =
    edited === undefined
      ? createObject('Notifier', named, bodyOf(fields), is)
      : patchObject('Notifier', named, patchOf(before, bodyOf(fields)), patchOf(was, is))
  const submit = async (): Promise<void> => {
    await perform(action)
    onDone()
  }
  return (
    <FormDialog
      title={edited === undefined ? 'New notifier' : name}
      action={edited === undefined ? 'Make the notifier' : 'Apply'}
      send={submit}
      onClose={onClose}
    >
      {edited === undefined ? (
        <NameFields {...{ name, team }} onName={setName} onTeam={setTeam} />
      ) : null}
      <label>
        <span>Channel</span>
        <select
          value={fields.channel}
          onChange={(event) => change({ channel: event.currentTarget.value as Channel })}
        >
          {Object.entries(channelWords).map(([value, text]) => (
            <option value={value}>{text}</option>
          ))}
        </select>
      </label>
      <ChannelFields {...{ fields, team, change }} />
      <Checks
        title="Tells when"
        options={reasons.map((one) => [one, reasonWords[one]])}
        chosen={fields.reasons}
        onChange={(next) => change({ reasons: reasons.filter((one) => next.includes(one)) })}
      />
      <Checks
        title="Only of these projects; all where none is chosen"
        options={[
          ...new Set([
            ...someOf(projects.known.value)
              .filter((one) => one.team === team)
              .map((one) => one.name),
            ...fields.projects,
          ]),
        ]
          .sort()
          .map((one) => [one, one])}
        chosen={fields.projects}
        onChange={(next) => change({ projects: next })}
      />
      {edited === undefined ? null : <YamlDiff lines={changesOf(was, is)} />}
      {name === '' ? null : <CopyAs action={action} />}
    </FormDialog>
  )
}
