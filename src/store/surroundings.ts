// What a new secret of a project meets. Those who write to one project at the same time share one look.
import { gathered } from '../kernel/gathered.ts'
import { keyOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import type { Queryable } from './sql.ts'

/** What a new secret of a project meets. */
export interface Surroundings {
  /** Stagelets of the project, by name, up to a number. */
  readonly stagelets: readonly KubeObject[]
  /** Secrets of type env that have a value; counted up to two. */
  readonly envSecrets: number
  /** The Project is there, and not only what names it. */
  readonly isDeclared: boolean
}

interface Question {
  readonly project: ObjectRef
  readonly mostStagelets: number
}

/** Bounds the statements that are sent at once. */
const mostAtOnce = 64

const surroundingsOf = async (
  q: Queryable,
  { project: { namespace, name }, mostStagelets }: Question,
): Promise<Surroundings> => {
  const rows = await q.query<{ body: string | null; secrets: number; declared: boolean }>(
    `SELECT s.body, (
       SELECT count(*)::int FROM (
         SELECT 1 FROM secret_versions v WHERE v.project_uid = p.uid AND v.to_revision IS NULL AND v.type = 'env' LIMIT 2
       ) few
     ) AS secrets, EXISTS (
       SELECT 1 FROM objects d WHERE d.kind = 'Project' AND d.namespace = p.namespace AND d.name = p.name
     ) AS declared
     FROM projects p LEFT JOIN LATERAL (
       SELECT o.name, o.body FROM objects o WHERE o.kind = 'Stagelet' AND o.namespace = p.namespace
         AND o.body #>> '{spec,projectRef,name}' = p.name ORDER BY o.name LIMIT $3
     ) s ON true WHERE p.namespace = $1 AND p.name = $2 ORDER BY s.name`,
    [namespace, name, mostStagelets],
  )
  const stagelets = rows.flatMap(({ body }) =>
    body === null ? [] : [JSON.parse(body) as KubeObject],
  )
  const isDeclared = rows[0]?.declared ?? false
  return { stagelets, envSecrets: rows[0]?.secrets ?? 0, isDeclared }
}

/** See Store.surroundingsOf. */
export const surroundingsIn = (q: Queryable): ((question: Question) => Promise<Surroundings>) =>
  gathered(mostAtOnce, (questions: readonly Question[]) => {
    const answers = new Map<string, Promise<Surroundings>>()
    const answer = (question: Question): Promise<Surroundings> => {
      const key = `${keyOf(question.project)} ${question.mostStagelets}`
      const asked = answers.get(key) ?? surroundingsOf(q, question)
      answers.set(key, asked)
      return asked
    }
    return Promise.all(questions.map(answer))
  })
