// Hints of least privilege: what they propose is staged, and the review shows what it reaches.
import { stage } from '../../../staging/staging.ts'
import { Button } from '../../../ui/button.tsx'
import { Section } from '../../../ui/dialogs/drawer.tsx'
import { StateText } from '../../../ui/state.tsx'
import type { ProjectPlace, ProjectSecrets, SecretRow } from '../../project/data.ts'
import { hintsFor, type SecretHint } from './hints.ts'
import s from '../page.module.css'

interface Props {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  readonly row: SecretRow
  readonly why: string | undefined
}

const Narrow = ({ place, row, why, hint }: Props & { hint: SecretHint & { kind: 'narrow' } }) => {
  const { seenBy, services } = hint
  const [only, other] = services
  const { id, key, type, scope, stagelet, version } = row.secret
  return (
    <li>
      <span>
        Global, seen by {seenBy} services; the Compose file names it in {services.join(', ')}.
      </span>
      {only === undefined || other !== undefined ? (
        <span class="muted">
          Replace its value with one in each of these scopes, and delete the global one.
        </span>
      ) : (
        <Button
          small
          whyNot={why}
          onPress={() =>
            stage([place.team, place.project], {
              op: 'update',
              key,
              type,
              scope,
              stagelet,
              secretId: id,
              fromVersion: version,
              target: { scope: only },
            })
          }
        >
          {`Limit to ${only}`}
        </Button>
      )}
    </li>
  )
}

export const HintSection = (props: Props) => {
  const { row, all } = props
  if (row.edit !== undefined) return null
  const hints = hintsFor(row.secret, all.matrix)
  if (hints.length === 0) return null
  return (
    <Section title="Hints">
      <ul class={s['hints']}>
        {hints.map((hint) =>
          hint.kind === 'narrow' ? (
            <Narrow key={hint.kind} {...props} hint={hint} />
          ) : (
            <li key={hint.kind}>
              <StateText kind="warn">
                {hint.kind === 'unseen'
                  ? 'No service uses it: delete it, or check its place.'
                  : `No service named ${hint.scope} was reported: no container gets it.${hint.near === undefined ? '' : ` Did you mean ${hint.near}?`}`}
              </StateText>
            </li>
          ),
        )}
      </ul>
    </Section>
  )
}
