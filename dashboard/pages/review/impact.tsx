// Which services a change reaches, and why; what it does not reach, and what is held.
import { keysText } from '../../../src/secrets/key-change.ts'
import { placesText } from '../../../src/secrets/place.ts'
import type { ChangeImpact } from '../../staging/staging.ts'
import { Since } from '../../ui/time.tsx'
import { StateText } from '../../ui/state.tsx'
import { messageText } from '../../ui/text/message.ts'
import s from './review.module.css'

/** Of a review, a rollback and a deployment. */
type ShownImpact = ChangeImpact

interface Line {
  readonly stagelet: string
  readonly service: string
  readonly what: string
  readonly why: string
}

/** True where the impact has no line in the table: `none` is said then. */
export const recreatesNone = ({ affected, cascaded }: ShownImpact): boolean =>
  affected.length + cascaded.length === 0

/** `re-create 3 services`: the consequence, for the text of a button. */
export const recreateText = ({ affected, cascaded }: ShownImpact): string => {
  const count = affected.length + cascaded.length
  return count === 0
    ? 'no container changes'
    : `re-create ${count} ${count === 1 ? 'service' : 'services'}`
}

const linesOf = ({ affected, cascaded }: ShownImpact): readonly Line[] =>
  [
    ...affected.map((change) => ({
      stagelet: change.stagelet,
      service: change.service,
      what: 're-created',
      why: change.keys.length > 0 ? keysText(change) : change.reason,
    })),
    ...cascaded.map(({ stagelet, service, with: others }) => ({
      stagelet,
      service,
      what: `with ${others.join(', ')}`,
      why: 'shares a namespace or volumes',
    })),
  ].sort((a, b) => a.stagelet.localeCompare(b.stagelet))

export const ImpactTable = ({
  impact,
  isOld = false,
  none = 'No container is re-created.',
}: {
  readonly impact: ShownImpact
  /** The edits have changed since. */
  readonly isOld?: boolean
  /** What is said where it re-creates nothing. */
  readonly none?: string | undefined
}) => {
  const lines = linesOf(impact)
  return (
    <div class={isOld ? s['old'] : undefined}>
      {lines.length === 0 ? null : (
        <table class={s['impact']}>
          <thead>
            <tr>
              <th scope="col">Stagelet</th>
              <th scope="col">Service</th>
              <th scope="col">Change</th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ stagelet, service, what, why }, index) => (
              <tr key={`${stagelet}/${service}`}>
                <th scope="row">
                  {lines[index - 1]?.stagelet === stagelet ? (
                    <span class="visually-hidden">{stagelet}</span>
                  ) : (
                    stagelet
                  )}
                </th>
                <td>{service}</td>
                <td>{what}</td>
                <td class="mono">{why}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ul class={s['rest']}>
        {impact.widened.map(({ key, before, services, ...place }) => (
          <li key={`${key} ${placesText([place])}`}>
            <StateText kind="warn">{key} reaches more services</StateText> It was kept to{' '}
            {placesText(before)}, and goes to {placesText([place])}
            {services.length === 0
              ? '.'
              : `: new for ${services.map(({ stagelet, service }) => `${stagelet}/${service}`).join(', ')}.`}
          </li>
        ))}
        {lines.length === 0 ? <li>{none}</li> : null}
        {impact.held.map(({ stagelet, message, since, services }) => (
          <li key={stagelet}>
            <StateText kind="paused">{stagelet} held</StateText> {messageText(message)}
            {services.length === 0 ? null : (
              <span class="muted">
                {' '}
                · {services.length} {services.length === 1 ? 'container' : 'containers'} once the
                hold ends
              </span>
            )}
            {since === undefined ? null : (
              <span class="muted">
                {' '}
                since <Since at={since} />
              </span>
            )}
          </li>
        ))}
        {impact.untouched === 0 ? null : (
          <li class="muted num">
            {impact.untouched} {impact.untouched === 1 ? 'service is' : 'services are'} not touched
          </li>
        )}
      </ul>
    </div>
  )
}
