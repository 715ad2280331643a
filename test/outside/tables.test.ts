import { describe, expect, it } from 'vitest'
import * as z from 'zod'

import { jsonSchemaOf } from '../../lib/config/published.js'
import type { Setting } from '../../lib/config/setting.js'
import { SETTING_HELP } from '../../lib/config/setting-help.js'
import { type SettingName, SETTINGS } from '../../lib/config/settings.js'
import { ERROR_TABLE } from '../../lib/kernel/errors.js'
import { hostArgs, toolsOfProfile } from '../../lib/tools/profiles.js'
import { TOOLS } from '../../lib/tools/index.js'
import { changes, expectOutside } from '../support/outside.js'

describe('the tables that others build on stay as they are', () => {
  it('settings: names, types, ranges, defaults, environment names and what a project may do', () => {
    const rows = (Object.entries(SETTINGS) as [SettingName, Setting][]).map(
      ([name, { schema, default: value, env, project }]) => {
        return [
          name,
          {
            schema: jsonSchemaOf(schema.takes),
            default: value,
            env: env ?? null,
            help: SETTING_HELP[name],
            project: project?.words ?? 'no',
          },
        ]
      },
    )
    expectOutside('settings', Object.fromEntries(rows))
  })

  it('errors: codes and the statuses the host acts on', () => {
    expectOutside('errors', ERROR_TABLE)
  })

  it('tools: names, arguments and risk as the model and the user see them', () => {
    const rows = TOOLS.map((tool) => {
      const { $schema: _dialect, ...model } = z.toJSONSchema(z.object(hostArgs(tool)))
      const { $schema: _same, ...user } = z.toJSONSchema(z.object(tool.args as z.ZodRawShape))
      const userOnly: readonly string[] = tool.userOnly ?? []
      return [
        tool.name,
        {
          group: tool.group,
          summary: tool.summary,
          risk: tool.risk,
          positional: tool.positional ?? [],
          userOnly,
          takesRest: tool.takesRest ?? false,
          model,
          user: user.properties,
          required: user.required ?? [],
        },
      ]
    })
    expectOutside('tools', {
      order: TOOLS.map(({ name }) => name),
      core: toolsOfProfile('core').map(({ name }) => name),
      tools: Object.fromEntries(rows),
    })
  })
})

it('a change is told with its place, what it is and what it was', () => {
  expect(changes({ a: [1, { b: 'x' }], gone: true }, { a: [1, { b: 'y' }], come: null })).toEqual([
    '$.a[1].b is "y" (was "x")',
    '$.gone is missing (was true)',
    '$.come was added: null',
  ])
})
