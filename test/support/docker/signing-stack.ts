// Two services that share a signing key: each signs, and each checks what the other has signed. A third one calls both all
// the time, and writes down what they answer.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { document, outputOf, stageletOf } from './rotation-stack.ts'
import { createStack, testImage, type Stack } from './stack.ts'

const head = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
mac() { printf '%s.%s' "$1" "$2" | sha256sum | cut -c1-64; }
`
const sign = `${head}n=$(cat /proc/sys/kernel/random/uuid)
printf '%s.%s' "$n" "$(mac "$n" "$SIGNING_KEY")"
`
const check = `${head}n=\${QUERY_STRING%%.*}
for key in $(echo "$SIGNING_KEYS" | tr -d '[]"' | tr ',' ' '); do
  [ "$n.$(mac "$n" "$key")" = "$QUERY_STRING" ] && { echo accepted; exit; }
done
echo rejected
`
/** A service that is being re-created answers nothing, which is no rejection. */
const calls = (everySeconds: number): string => `while :; do
  for pair in 'one two' 'two one'; do
    set -- $pair
    token=$(wget -T 1 -qO- http://$1:8080/cgi-bin/sign 2>/dev/null) && [ \${#token} = 101 ] &&
      wget -T 1 -qO- "http://$2:8080/cgi-bin/check?$token" 2>/dev/null >> /said/all
  done
  sleep ${everySeconds}
done`

/** The second waits for the first one, so that both are never re-created at the same moment. */
const service = (name: string, more = ''): string => `  ${name}:
    image: ${testImage}
    command: [httpd, -f, -p, '8080', -h, /www]
    volumes: ['WWW:/www:ro']
    stop_signal: SIGKILL
    healthcheck: { test: "wget -T 1 -qO- http://127.0.0.1:8080/cgi-bin/sign", interval: 30s, start_period: 60s, start_interval: 1s }
${more}`

export interface SigningStack extends Stack {
  /** How often a service has accepted what the other has signed, and how often not. */
  said(): Promise<{ readonly accepted: number; readonly rejected: number }>
}

export const createSigningStack = async (everySeconds: number): Promise<SigningStack> => {
  const folder = await mkdtemp(join(tmpdir(), 'stagely-signs-'))
  const scripts = join(folder, 'www/cgi-bin')
  await mkdir(scripts, { recursive: true })
  for (const [name, text] of Object.entries({ sign, check })) {
    await writeFile(join(scripts, name), text)
    await chmod(join(scripts, name), 0o755)
  }
  const command = JSON.stringify(calls(everySeconds).replaceAll('$', '$$$$'))
  const compose = `services:
${service('one')}${service('two', '    depends_on: { one: { condition: service_healthy } }\n')}  caller:
    image: ${testImage}
    command: [sh, -c, ${command}]
    volumes: ['${folder}:/said']
    stop_signal: SIGKILL
`
  const stack = await createStack(compose.replaceAll('WWW', join(folder, 'www')))
  return {
    ...stack,
    said: async () => {
      const text = await readFile(join(folder, 'all'), 'utf8').catch(() => '')
      const count = (word: string): number => text.split('\n').filter((one) => one === word).length
      return { accepted: count('accepted'), rejected: count('rejected') }
    },
    remove: async () => {
      await stack.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The second service has the key by secrets that follow the first one's. */
export const signingManifests = (
  project: string,
  { stack, order }: { stack: Stack; order: 'AddFirst' | 'SwitchFirst' },
): string => {
  const secrets = [
    ['current', 'SIGNING_KEY'],
    ['list', 'SIGNING_KEYS'],
  ].map(([output = '', key = '']) => {
    const name = `${project}-${output}`
    const from = `{rotation: {name: ${project}, output: ${output}}}`
    const follows = `{secretRef: {name: ${name}.one}}`
    return (
      outputOf(project, { name: `${name}.one`, key, scope: 'one', from }) +
      outputOf(project, { name: `${name}.two`, key, scope: 'two', from: follows })
    )
  })
  return [
    document('Project', project, '{}'),
    ...secrets,
    stageletOf(project, { name: project, agent: 'box', stack }),
    document(
      'Rotation',
      project,
      `{projectRef: {name: ${project}}, outputs: {current: ${project}-current.one, list: ${project}-list.one}, overlap: 1m, rotator: {generate: {length: 48, order: ${order}}}}`,
    ),
  ].join('')
}
