// mcp: a server of the Model Context Protocol on stdin and stdout, for assistants. It only reads.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { version } from '../../src/kernel/version.ts'
import { createApi } from '../connect/api.ts'
import { findConnection } from '../connect/connect.ts'
import { createRest } from '../connect/rest.ts'
import { renderError } from '../errors.ts'
import { tools, withoutValues, type Asking } from '../mcp/tools.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { readOverview } from './status.ts'

export const command = (): Command =>
  newCommand(
    'mcp',
    'Answer the questions of an assistant over MCP, on stdin and stdout: status, why, diff, blame, history; never a value.',
    ['stagely mcp --context prod', 'stagely mcp -n team-a'],
  ).action(serve)

const serve = async (flags: CommonFlags): Promise<void> => {
  const connection = await findConnection(flags)
  const asking: Asking = {
    api: createApi(connection),
    rest: createRest(connection),
    status: () => readOverview(flags),
  }
  const server = new McpServer({ name: 'stagely', version })
  for (const [name, { description, input, ask }] of Object.entries(tools)) {
    const annotations = { readOnlyHint: true }
    server.registerTool(name, { description, inputSchema: input, annotations }, async (given) => {
      try {
        const answer = withoutValues(await ask(asking, given))
        return { content: [{ type: 'text', text: JSON.stringify(answer) }] }
      } catch (error) {
        return { isError: true, content: [{ type: 'text', text: renderError(error) }] }
      }
    })
  }
  await server.connect(new StdioServerTransport())
}
