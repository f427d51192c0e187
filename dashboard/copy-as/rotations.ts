// What somebody does with rotations.
import { idOf, type Doing } from './doing.ts'

interface Place {
  readonly team: string
  readonly project: string
  readonly name: string
}

const pathOf = ({ team, project, name }: Place): string =>
  `/projects/${idOf(team, project)}/rotations/${encodeURIComponent(name)}`

const words = (verb: string, { team, project, name }: Place): readonly string[] => [
  ...['rotation', verb, name, '-n', team, '--project', project],
]

export const runRotationDoing = (place: Place): Doing => ({
  name: `Rotate ${place.name}`,
  rest: { method: 'POST', path: `${pathOf(place)}/run`, body: {} },
  stagely: { words: words('run', place) },
})

export const pauseRotationDoing = (place: Place, paused: boolean): Doing => ({
  name: `${paused ? 'Pause' : 'Resume'} ${place.name}`,
  rest: { method: 'PATCH', path: pathOf(place), body: { paused } },
  stagely: { words: words(paused ? 'pause' : 'resume', place) },
  kubectl: [
    ...['patch', '-n', place.team, 'rotation', place.name, '--type', 'merge'],
    ...['-p', JSON.stringify({ spec: { paused } })],
  ],
})
