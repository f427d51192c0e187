// Which containers a change reaches, as the controller computed it: re-created, along with others, held, untouched.
import type { paths } from '../../../src/rest/types.ts'
import { State } from '../../ui/state.tsx'
import { messageText } from '../../ui/text/message.ts'
import s from './stagelet.module.css'

type Deployed =
  paths['/stagelets/{stagelet_id}/deploy']['post']['responses'][200]['content']['application/json']
export type DeployImpact = NonNullable<Deployed['impact']>

export const countOf = ({ affected, cascaded }: DeployImpact): number =>
  affected.length + cascaded.length

export const ImpactList = ({ impact }: { readonly impact: DeployImpact }) => (
  <div class={s['impact']}>
    <ul>
      {impact.affected.map(({ stagelet, service, keys, reason }) => (
        <li key={`${stagelet}/${service}`}>
          <b>{service}</b> is re-created: {reason}
          {keys.length === 0 ? '' : ` (${keys.join(', ')})`}
        </li>
      ))}
      {impact.cascaded.map(({ stagelet, service, with: others }) => (
        <li key={`${stagelet}/${service}`}>
          <b>{service}</b> is re-created along with {others.join(', ')}
        </li>
      ))}
      {impact.held.map(({ stagelet, why, message }) => (
        <li key={stagelet}>
          <State kind="wait">{why}</State> {stagelet}: {messageText(message)}
        </li>
      ))}
    </ul>
    <p class="muted">
      {impact.untouched} other {impact.untouched === 1 ? 'service is' : 'services are'} not touched.
    </p>
  </div>
)
