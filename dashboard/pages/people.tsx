// All who may log in, and the teams: for admins. Everybody else finds their teams here.
import { useState } from 'preact/hooks'
import { defined } from '../../src/kernel/defined.ts'
import { api, must } from '../api/client.ts'
import type { User } from '../../src/rest/types.ts'
import { isAdmin, me } from '../app/session.ts'
import { newUserDoing, switchUserDoing } from '../copy-as/people.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/button.tsx'
import { confirmed } from '../ui/confirm-login.tsx'
import { CopyAs, wasDone } from '../ui/copy-as.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { PageFrame, Panel } from '../ui/page.tsx'
import { State } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { Ago } from '../ui/time.tsx'
import { useQuery } from '../ui/use-query.ts'

const Teams = () => {
  const teams = useQuery({
    key: ['teams'],
    read: (signal) => must(api.GET('/teams', { params: { query: { limit: 1000 } }, signal })),
  })
  const roleIn = (team: string): string =>
    me.value?.teams.find((one) => one.team === team)?.role ??
    (isAdmin.value ? 'admin of the controller' : '–')
  return (
    <Panel flush title="Teams">
      <WhenKnown of={teams} rows={2}>
        {({ teams: all }) => (
          <Table
            label="Teams"
            rows={all}
            idOf={({ name }) => name}
            columns={[
              {
                title: 'Team',
                head: true,
                render: ({ name }) => <a href={`/ui/t/${name}/members`}>{name}</a>,
              },
              { title: 'You are', render: ({ name }) => roleIn(name) },
              {
                title: 'Machines',
                render: ({ name }) => <a href={`/ui/t/${name}/tokens`}>tokens</a>,
              },
            ]}
          />
        )}
      </WhenKnown>
    </Panel>
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
  const doing = newUserDoing(name.trim(), given)
  const create = async (): Promise<void> => {
    const body = { name: name.trim(), ...defined({ email: given }) }
    await confirmed(() => must(api.POST('/users', { body })))
    wasDone(doing)
    onDone()
  }
  return (
    <FormDialog title="New user" action="Add the user" send={create} onClose={onClose}>
      <label>
        <span>Login name, which never changes</span>
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
      <p class="muted">Who logs in by the OpenID provider is added by that.</p>
      {name.trim() === '' ? null : <CopyAs doing={doing} />}
    </FormDialog>
  )
}

const update = (user: string, body: { admin?: boolean; disabled?: boolean }): Promise<User> =>
  confirmed(() => must(api.PATCH('/users/{user}', { params: { path: { user } }, body })))

interface TableProps {
  readonly users: readonly User[]
  readonly onChange: (user: User) => void
}

const UserTable = ({ users, onChange }: TableProps) => (
  <Table
    label="Users"
    rows={users}
    idOf={({ id }) => id}
    columns={[
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
            <State kind="paused">Disabled</State>
          ) : (
            <State kind="ok">{admin ? 'Admin' : 'May log in'}</State>
          ),
      },
      {
        title: 'Logged in by OpenID',
        wide: true,
        render: ({ last_login_at: at }) => <Ago at={at} />,
      },
      {
        title: 'Values read',
        wide: true,
        render: ({ name }) => (
          <a href={`/ui/audit?by=${encodeURIComponent(name)}`}>show, to rotate them</a>
        ),
      },
      {
        title: 'Action',
        end: true,
        render: (user) => (
          <Button
            small
            look="quiet"
            label={`${user.disabled ? 'Enable' : 'Disable'} ${user.name}`}
            whyNot={user.name === me.value?.name ? 'That is you.' : undefined}
            onPress={() => onChange(user)}
          >
            {user.disabled ? 'Enable' : 'Disable'}
          </Button>
        ),
      },
    ]}
  />
)

const Users = () => {
  const users = useQuery({
    key: ['users'],
    read: (signal) => must(api.GET('/users', { params: { query: { limit: 1000 } }, signal })),
  })
  const [isMaking, setMaking] = useState(false)
  const [changing, setChanging] = useState<User | undefined>()
  const { busy, run } = useAction()
  const setDisabled = async ({ name, disabled }: User): Promise<void> => {
    const done = disabled ? `${name} may log in again.` : `${name} is logged out everywhere.`
    await run(() => update(name, { disabled: !disabled }), done, switchUserDoing(name, !disabled))
    setChanging(undefined)
    await users.again()
  }
  return (
    <Panel
      flush
      title="Users"
      aside={
        <Button small command="new-user" onPress={() => setMaking(true)}>
          New user
        </Button>
      }
    >
      <WhenKnown of={users}>
        {({ users: all }) => <UserTable users={all} onChange={setChanging} />}
      </WhenKnown>
      {isMaking ? (
        <NewUser
          onDone={() => {
            setMaking(false)
            void users.again()
          }}
          onClose={() => setMaking(false)}
        />
      ) : null}
      {changing === undefined ? null : (
        <Confirm
          danger={!changing.disabled}
          title={`${changing.disabled ? 'Enable' : 'Disable'} ${changing.name}?`}
          action={changing.disabled ? 'Let them log in again' : 'Refuse all their tokens'}
          busy={busy}
          onConfirm={() => void setDisabled(changing)}
          onClose={() => setChanging(undefined)}
        >
          <p>
            {changing.disabled
              ? 'Their tokens that have not run out open again what they opened.'
              : 'Their tokens and sessions open nothing from now on. What they have read stays known to them.'}
          </p>
          <CopyAs doing={switchUserDoing(changing.name, !changing.disabled)} />
        </Confirm>
      )}
    </Panel>
  )
}

export const Page = () => (
  <PageFrame windowTitle="People" title="People">
    <Teams />
    {isAdmin.value ? <Users /> : null}
  </PageFrame>
)
