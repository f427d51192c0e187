// The versions of a secret: who wrote which when, which are equal, the way back to one, and two of them compared.
import { useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type { Secret, SecretVersion } from '../../../src/generated/rest-types.ts'
import { rollBackSecret } from '../../actions/secrets.ts'
import { Button } from '../../ui/button.tsx'
import { WhenKnown } from '../../ui/when-known.tsx'
import { PlainValue } from '../../ui/plain-value.tsx'
import { Ago } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import { AskFirst } from '../review/ask-first.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { CompareValues, type Side } from './places/compare.tsx'
import s from './page.module.css'

interface Props {
  readonly secret: Secret
  readonly place: ProjectPlace
}

interface Chosen extends Props {
  readonly version: number
  readonly onClose: () => void
}

const pathOf = ({ secret, place }: Props) => ({
  project_id: `${place.team}/${place.project}`,
  secret_id: secret.id,
})

const GoBack = ({ version, onClose, ...props }: Chosen) => (
  <AskFirst
    place={props.place}
    title={`Roll back ${props.secret.key} to v${version}?`}
    verb="Go back"
    note={`${props.secret.key} as in v${version}`}
    send={(order) =>
      must(
        api.POST('/projects/{project_id}/secrets/{secret_id}/rollback', {
          params: { path: pathOf(props) },
          body: { version, ...order },
        }),
      )
    }
    keysOf={({ key }) => [key]}
    revisionOf={({ revision }) => revision}
    action={rollBackSecret(props.place, props.secret, version)}
    onClose={onClose}
  />
)

const sideOf = (secretId: string, version: number): Side => ({
  secretId,
  version,
  name: `v${version}`,
})

/** The oldest version with the same value. */
const firstWith = (version: number, all: readonly SecretVersion[]): number => {
  const before = all.find((candidate) => candidate.version === version)?.same_as
  return before === undefined ? version : firstWith(before, all)
}

interface LineProps {
  readonly version: SecretVersion
  readonly isSame: boolean
  /** Both values are shown here. */
  readonly isShown: boolean
  readonly noWrite: string | undefined
  readonly onCompare: () => void
  readonly onGoBack: () => void
}

const Line = ({ version, isSame, isShown, noWrite, onCompare, onGoBack }: LineProps) => (
  <li>
    <b class="num">v{version.version}</b>
    <span>
      {version.created_by} · <Ago at={version.created_at} />
      {version.same_as === undefined ? null : (
        <span class="muted"> · same value as v{version.same_as}</span>
      )}
      {version.value === undefined ? null : (
        <span>
          {' '}
          · <PlainValue text={version.value} />
        </span>
      )}
      {version.current ? null : isSame ? (
        <span class="muted"> · current value</span>
      ) : (
        <span class={s['versionActions']}>
          {isShown ? null : (
            <Button small variant="quiet" label={`Compare v${version.version}`} onPress={onCompare}>
              Compare
            </Button>
          )}
          <Button
            small
            variant="quiet"
            label={`Go back to v${version.version}`}
            whyNot={noWrite}
            onPress={onGoBack}
          >
            Go back
          </Button>
        </span>
      )}
    </span>
    <span class="muted num">{version.bytes} B</span>
  </li>
)

export const Versions = ({
  noWrite,
  ...props
}: Props & { readonly noWrite: string | undefined }) => {
  const { id, version } = props.secret
  const versions = useQuery({
    key: ['versions', id],
    // Old values are hidden once the secret is masked.
    refetchOn: [version, props.secret.visibility],
    exact: true,
    read: (signal) =>
      must(
        api.GET('/projects/{project_id}/secrets/{secret_id}/versions', {
          params: { path: pathOf(props), query: { limit: 20, values: 'true' } },
          signal,
        }),
      ),
  })
  const [chosen, setChosen] = useState<readonly ['compare' | 'back', number] | undefined>()
  const close = (): void => setChosen(undefined)
  return (
    <>
      <WhenKnown value={versions} rows={2}>
        {({ versions: all }) => (
          <ul class={s['versions']}>
            {all.map((listed) => (
              <Line
                key={listed.version}
                version={listed}
                isShown={listed.value !== undefined && props.secret.value !== undefined}
                isSame={firstWith(listed.version, all) === firstWith(version, all)}
                noWrite={noWrite}
                onCompare={() => setChosen(['compare', listed.version])}
                onGoBack={() => setChosen(['back', listed.version])}
              />
            ))}
          </ul>
        )}
      </WhenKnown>
      {chosen?.[0] === 'compare' ? (
        <CompareValues
          title={`${props.secret.key}: v${chosen[1]} and v${version}`}
          place={props.place}
          sides={[sideOf(id, chosen[1]), sideOf(id, version)]}
          onClose={close}
        />
      ) : null}
      {chosen?.[0] === 'back' ? <GoBack {...props} version={chosen[1]} onClose={close} /> : null}
    </>
  )
}
