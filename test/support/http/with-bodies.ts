import type { Hono } from 'hono'
import { createBodyBudget, type BodyBudget } from '../../../controller/http/body-budget.ts'
import type { AgentEnv } from '../../../controller/http/agents/requests/refusal.ts'

/** The app with a budget of bodies, as the controller's own has it. */
export const withBodies = (
  app: Hono<AgentEnv>,
  bodies: BodyBudget = createBodyBudget(),
): Hono<AgentEnv> => {
  app.use((c, next) => {
    c.set('bodies', bodies)
    return next()
  })
  return app
}
