// Which secrets the containers have printed, as their agent counts it on its machine: no line comes here.
import { useEffect, useRef, useState } from 'preact/hooks'
import { whyNot } from '../../app/session.ts'
import { api, must } from '../../api/client.ts'
import type { LeakTest, Stagelet } from '../../../src/rest/types.ts'
import { startLeakTest } from '../../actions/stagelets.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { Ago } from '../../ui/time.tsx'
import { badgeOf, findingsOf, isTestOpen } from './leak-words.ts'
import s from './stagelet.module.css'

const pollMs = 1_000

const path = '/stagelets/{stagelet_id}/leak-tests'
const paramsOf = ({ id }: Stagelet) => ({ path: { stagelet_id: id } })

/** The newest test; read again and again while it is open. */
const useNewest = (stagelet: Stagelet, mayRead: boolean) => {
  const [test, setTest] = useState<LeakTest>()
  const started = useRef(0)
  const read = (signal: AbortSignal): Promise<void> => {
    const before = started.current
    const params = { ...paramsOf(stagelet), query: { limit: 1 } }
    return must(api.GET(path, { params, signal })).then(
      ({ leak_tests: [newest] }) => {
        // The answer to an earlier question knows nothing of the test that was started since.
        if (started.current === before) setTest(newest)
      },
      // The panel has nothing to say where no test can be read; the button says why.
      () => undefined,
    )
  }
  const isWaiting = test !== undefined && isTestOpen(test)
  useEffect(() => {
    if (!mayRead) return undefined
    const abort = new AbortController()
    void read(abort.signal)
    const timer = isWaiting ? setInterval(() => void read(abort.signal), pollMs) : undefined
    return () => {
      abort.abort()
      clearInterval(timer)
    }
  }, [stagelet.id, isWaiting, mayRead])
  const take = (test: LeakTest): void => {
    started.current += 1
    setTest(test)
  }
  return { test, take }
}

export const LeakTestPanel = ({ stagelet }: { readonly stagelet: Stagelet }) => {
  const refused = whyNot('get', 'stagelets/logs', stagelet.team)
  const { test, take } = useNewest(stagelet, refused === undefined)
  const badge = test && badgeOf(test)
  return (
    <Panel
      title="Leak test"
      aside={
        <ActionButton
          small
          command={`leak-test:${stagelet.id}`}
          whyNot={
            refused ?? (test !== undefined && isTestOpen(test) ? 'A test is running.' : undefined)
          }
          action={startLeakTest(stagelet)}
          onDone={take}
        >
          Leak test
        </ActionButton>
      }
    >
      {test === undefined || badge === undefined ? (
        <p class="muted">
          The agent counts on its machine how often the containers have printed each secret. No line
          leaves it.
        </p>
      ) : (
        <>
          <p role="status">
            <StateText kind={badge.kind}>{badge.text}</StateText>{' '}
            <span class="muted">
              <Ago at={test.finished_at ?? test.started_at} />
            </span>
          </p>
          <ul class={s['findings']}>
            {findingsOf(test).map(({ kind, text }) => (
              <li key={text}>
                <StateText kind={kind}>{text}</StateText>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}
