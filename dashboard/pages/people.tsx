// The teams of a person; for admins all users too.
import { useState } from 'preact/hooks'
import { api, must } from '../api/client.ts'
import type { User } from '../../src/generated/rest-types.ts'
import { isAdmin, me } from '../session/session.ts'
import { createUser, disableUser } from '../actions/people.ts'
import { mapKnown } from '../live/known.ts'
import { perform } from '../ui/action.ts'
import { Button } from '../ui/button.tsx'
import { ConfirmAction } from '../ui/dialogs/confirm-action.tsx'
import { CopyAs } from '../ui/copy-as.tsx'
import { FormDialog } from '../ui/dialogs/form-dialog.tsx'
import { ListPanel } from '../ui/list.tsx'
import { Empty, PageFrame } from '../ui/page.tsx'
import { StateText } from '../ui/state.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { Ago } from '../ui/time.tsx'
import { NewTeam } from './people/new-team.tsx'
import { useQuery } from '../ui/use-query.ts'

const Teams = () => {
  const teams = useQuery({
    key: ['teams'],
    read: (signal) => must(api.GET('/teams', { params: { query: { limit: 1000 } }, signal })),
  })
  const roleIn = (team: string): string =>
    me.value?.teams.find((member) => member.team === team)?.role ??
    (isAdmin.value ? 'admin of the controller' : '–')
  const [isMaking, setMaking] = useState(false)
  return (
    <>
      <ListPanel
        title="Teams"
        aside={
          isAdmin.value ? (
            <Button small command="new-team" onPress={() => setMaking(true)}>
              New team
            </Button>
          ) : null
        }
        label="Teams"
        rows={mapKnown(teams, ({ teams: all }) => all)}
        idOf={({ name }) => name}
        columns={[
          {
            title: 'Team',
            head: true,
            render: ({ name }) => <a href={`/ui/t/${name}/members`}>{name}</a>,
          },
          { title: 'Your role', render: ({ name }) => roleIn(name) },
          {
            title: 'Machine tokens',
            render: ({ name }) => <a href={`/ui/t/${name}/tokens`}>tokens</a>,
          },
        ]}
        empty={<Empty title="You are in no team" />}
      />
      {isMaking ? <NewTeam onClose={() => setMaking(false)} /> : null}
    </>
  )
}

const NewUser = ({
  onDone,
  onClose,
}: {
  readonly onDone: () => void
  readonly onClose: () => void
}) => {
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const given = email.trim() === '' ? undefined : email.trim()
  const action = createUser(name.trim(), given)
  const create = async (): Promise<void> => {
    await perform(action)
    onDone()
  }
  return (
    <FormDialog title="New user" action="Add the user" send={create} onClose={onClose}>
      <label>
        <span>Login name (cannot be changed later)</span>
        <input
          required
          maxLength={128}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        <span>E-mail address (optional)</span>
        <input
          type="email"
          value={email}
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
      </label>
      <p class="muted">A person who logs in with the OpenID provider is added by that login.</p>
      {name.trim() === '' ? null : <CopyAs action={action} />}
    </FormDialog>
  )
}

const columnsOf = (onSwitch: (user: User) => void): readonly TableColumn<User>[] => [
  {
    title: 'User',
    head: true,
    render: ({ name, email }) => (
      <>
        {name}
        {email === undefined ? null : <small>{email}</small>}
      </>
    ),
  },
  {
    title: 'State',
    render: ({ disabled, admin }) =>
      disabled ? (
        <StateText kind="paused">Disabled</StateText>
      ) : (
        <StateText kind="ok">{admin ? 'Admin' : 'Active'}</StateText>
      ),
  },
  { title: 'Last OpenID login', wide: true, render: ({ last_login_at: at }) => <Ago at={at} /> },
  {
    title: 'Values read',
    wide: true,
    render: ({ name }) => <a href={`/ui/audit?by=${encodeURIComponent(name)}`}>review</a>,
  },
  {
    title: 'Action',
    end: true,
    render: (user) => (
      <Button
        small
        variant="quiet"
        label={`${user.disabled ? 'Enable' : 'Disable'} ${user.name}`}
        whyNot={user.name === me.value?.name ? 'You cannot disable yourself.' : undefined}
        onPress={() => onSwitch(user)}
      >
        {user.disabled ? 'Enable' : 'Disable'}
      </Button>
    ),
  },
]

const SwitchUser = ({
  user: { name, disabled },
  onDone,
  onClose,
}: {
  readonly user: User
  readonly onDone: () => void
  readonly onClose: () => void
}) => {
  const verb = disabled ? 'Enable' : 'Disable'
  return (
    <ConfirmAction
      danger={!disabled}
      title={`${verb} ${name}?`}
      label={`${verb} ${name}`}
      action={disableUser(name, !disabled)}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        {disabled
          ? 'They can log in again, and their tokens that have not expired work again.'
          : 'They are logged out everywhere, and their tokens stop working. They still know the values that they have read.'}
      </p>
    </ConfirmAction>
  )
}

const Users = () => {
  const users = useQuery({
    key: ['users'],
    read: (signal) => must(api.GET('/users', { params: { query: { limit: 1000 } }, signal })),
  })
  const [isCreating, setCreating] = useState(false)
  const [switched, setSwitched] = useState<User | undefined>()
  const reload = (): void => void users.refetch()
  return (
    <>
      <ListPanel
        title="Users"
        aside={
          <Button small command="new-user" onPress={() => setCreating(true)}>
            New user
          </Button>
        }
        label="Users"
        rows={mapKnown(users, ({ users: all }) => all)}
        idOf={({ id }) => id}
        columns={columnsOf(setSwitched)}
        empty={<Empty title="No users yet" />}
      />
      {isCreating ? (
        <NewUser
          onDone={() => {
            setCreating(false)
            reload()
          }}
          onClose={() => setCreating(false)}
        />
      ) : null}
      {switched === undefined ? null : (
        <SwitchUser user={switched} onDone={reload} onClose={() => setSwitched(undefined)} />
      )}
    </>
  )
}

export const Page = () => (
  <PageFrame windowTitle="People" title="People">
    <Teams />
    {isAdmin.value ? <Users /> : null}
  </PageFrame>
)
