import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { type CatalogueModel, parseCatalogue } from '../../lib/catalogue/catalogue.js'
import { parseCatalogues } from '../../lib/catalogue/catalogue-file.js'
import { formatCatalogues } from '../../lib/catalogue/catalogue-text.js'
import { createListedTexts } from '../../lib/catalogue/listed-texts.js'
import { temporaryFolder } from '../support/temporary.js'

const answer = (slug: string, variables?: unknown) => ({
  slug,
  model_messages: { instructions_template: 'x'.repeat(20_000), instructions_variables: variables },
})
const modelsOf = (...models: readonly unknown[]): CatalogueModel[] =>
  parseCatalogue({ models }) ?? []

async function fileWith(models: readonly CatalogueModel[]): Promise<string> {
  const file = path.join(await temporaryFolder(), 'catalogue.json')
  await writeFile(
    file,
    formatCatalogues({ a: { models, etag: '"1"', fetchedAtMs: 1, client: '0.169.0' } }),
  )
  return file
}

describe('the texts of the model list', () => {
  it('are found by the name of the model as the host calls it', async () => {
    const file = await fileWith(
      modelsOf(answer('gpt-5.5', { personality_friendly: 'Warm.', personality_pragmatic: null })),
    )
    const texts = createListedTexts(file)
    expect(await texts.find('friendly', 'gpt-5.5')).toBe('Warm.')
    expect(await texts.find('friendly', 'gpt-5.5-fast')).toBe('Warm.')
    expect(await texts.find('friendly', undefined)).toBe('Warm.')
    expect(await texts.find('friendly', 'gpt-5.4')).toBeUndefined()
    expect(await texts.find('pragmatic', 'gpt-5.5')).toBeUndefined()
    expect(await texts.modelsWith('friendly')).toEqual(['gpt-5.5'])
  })

  it('are read again after the list was fetched', async () => {
    const file = await fileWith(modelsOf(answer('gpt-5.5')))
    const texts = createListedTexts(file)
    expect(await texts.find('friendly', 'gpt-5.5')).toBeUndefined()
    const models = modelsOf(answer('gpt-5.5', { personality_friendly: 'Warm.' }))
    await writeFile(
      file,
      formatCatalogues({ a: { models, etag: '"2"', fetchedAtMs: 2, client: '0.169.0' } }),
    )
    expect(await texts.find('friendly', 'gpt-5.5')).toBe('Warm.')
  })

  it.each([
    undefined,
    null,
    'text',
    [],
    {},
    { personality_friendly: 5 },
    { personality_friendly: '' },
    { personality_friendly: 'x'.repeat(8_001) },
    { personality_friendly: 'Be {{ manner }}.' },
    { personality_friendly: { nested: true } },
  ])('that are none are not there, and the model is: %j', async (variables) => {
    const models = modelsOf(answer('gpt-5.5', variables))
    expect(models.map(({ id }) => id)).toEqual(['gpt-5.5'])
    const texts = createListedTexts(await fileWith(models))
    expect(await texts.find('friendly', undefined)).toBeUndefined()
    expect(JSON.stringify(models).length).toBeLessThan(1_000)
  })

  it('lose what a terminal obeys', async () => {
    const models = modelsOf(answer('a', { personality_friendly: '\u001b[31mWarm\u0007\nwords' }))
    expect(await createListedTexts(await fileWith(models)).find('friendly', 'a')).toBe(
      'Warm \nwords',
    )
  })

  it('of a damaged or missing file are none', async () => {
    const folder = await temporaryFolder()
    expect(await createListedTexts(path.join(folder, 'none')).modelsWith('friendly')).toEqual([])
    const file = path.join(folder, 'catalogue.json')
    await writeFile(file, '{"version":2,"lists":[{"models":[{"manners":5}]}],"accounts":{}}')
    expect(await createListedTexts(file).modelsWith('friendly')).toEqual([])
  })

  it('are asked for by who has a list that was kept without them', () => {
    const models = modelsOf({ slug: 'gpt-5.5' })
    const text = formatCatalogues({ a: { models, etag: '"1"', fetchedAtMs: 1, client: '0.169.0' } })
    expect(parseCatalogues(text).a?.etag).toBe('"1"')
    expect(parseCatalogues(text.replace(/,"holds":\d+/, '')).a?.etag).toBeUndefined()
  })
})
