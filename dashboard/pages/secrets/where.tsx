// Where the values of a secret lie on the machines: the agents look, and names of places come back.
import { useState } from 'preact/hooks'
import type { Secret, Where as Found } from '../../../src/generated/rest-types.ts'
import { api, must } from '../../api/client.ts'
import { whyNot } from '../../session/session.ts'
import { Button } from '../../ui/button.tsx'
import { confirmed } from '../../ui/dialogs/confirm-login.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { StateText } from '../../ui/state.tsx'
import { Since } from '../../ui/time.tsx'
import { visibleText } from '../../ui/text/visible-text.ts'
import { useSending } from '../../ui/use-sending.ts'
import type { ProjectPlace } from '../project/data.ts'
import s from './page.module.css'

type Place = Found['places'][number]

const nameOf = ({ kind, container, service, at }: Place): string =>
  [service ?? container, kind, at].filter((word) => word !== undefined).join(' · ')

const PlaceRow = ({ place }: { readonly place: Place }) => (
  <li>
    <span>
      {place.agent} · {nameOf(place)}
    </span>
    <StateText kind={place.state === 'current' && place.managed !== false ? 'ok' : 'warn'}>
      {place.managed === false ? 'unmanaged, ' : ''}
      {place.state === 'current'
        ? 'current'
        : `version ${place.version ?? ''}: ${place.state ?? ''}`}
      {' since '}
      <Since at={place.since} />
    </StateText>
  </li>
)

/** What could not be looked through. */
const Gaps = ({ agents }: Pick<Found, 'agents'>) => (
  <>
    {agents.map(({ name, state, since, message = '', unread }) =>
      state === 'unknown' ? (
        <p key={name}>
          <StateText kind="unknown">
            {name}: unknown
            {since === undefined ? '' : ' since '}
            {since === undefined ? null : <Since at={since} />}
          </StateText>{' '}
          {message}
        </p>
      ) : (
        unread.map((what) => (
          <p key={what}>
            {name}: not looked through: {what}
          </p>
        ))
      ),
    )}
  </>
)

/** What scans have reported. Closed findings are quiet. */
export const FoundIn = ({ secret: { findings = [] } }: { readonly secret: Secret }) =>
  findings.length === 0 ? null : (
    <ul class={s['consumers']} aria-label="Found in repositories">
      {findings.map((finding) => (
        <li key={finding.id}>
          <span>{visibleText(`${finding.path}:${finding.line} in ${finding.repository}`)}</span>
          <StateText kind={finding.closed_at === undefined ? 'fail' : 'ok'}>
            version {finding.version}
            {finding.closed_as === undefined ? ' leaked ' : `: ${finding.closed_as.toLowerCase()} `}
            <Since at={finding.closed_at ?? finding.found_at} />
          </StateText>
        </li>
      ))}
    </ul>
  )

export const WhereIsIt = ({
  place,
  secretId,
}: {
  readonly place: ProjectPlace
  readonly secretId: string
}) => {
  const [found, setFound] = useState<Found | undefined>()
  const { busy, error, run } = useSending()
  const path = { project_id: `${place.team}/${place.project}`, secret_id: secretId }
  const look = (): void =>
    void run(async () => {
      const params = { path }
      setFound(
        await confirmed(() =>
          must(api.POST('/projects/{project_id}/secrets/{secret_id}/where', { params, body: {} })),
        ),
      )
    })
  return (
    <>
      <Button
        small
        whyNot={whyNot('get', 'stagelysecrets/value', place.team)}
        busy={busy}
        onPress={look}
      >
        Where is it?
      </Button>
      {error === undefined ? null : <ProblemBox error={error} />}
      {found === undefined ? (
        <p class="muted">
          The agents look through all containers, files, images and logs of their machines. Names of
          places come back, no value.
        </p>
      ) : (
        <>
          <p role="status">
            {found.places.length === 0
              ? 'Found nowhere.'
              : `Found in ${found.places.length} places.`}
          </p>
          <ul class={s['consumers']} aria-label="Places of the value">
            {found.places.map((held, i) => (
              <PlaceRow key={i} place={held} />
            ))}
          </ul>
          <Gaps agents={found.agents} />
        </>
      )}
    </>
  )
}
