import type { Rule } from 'eslint'

export const noImportCircle: Rule.RuleModule
