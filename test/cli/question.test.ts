import { spawn, spawnSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

import { bundledWorker } from '../support/bundled-worker.js'

const CTRL_C = '\u0003'
const hasTerminal = process.platform === 'linux' && spawnSync('script', ['-V']).status === 0

const worker = bundledWorker('test/cli/question-worker.ts')

/** Runs the worker in a terminal of its own, and presses Ctrl-C from when it asks until it is heard. */
async function brokenOff(way: string, rest = ''): Promise<{ code: number | null; screen: string }> {
  const command = `stty cols 80 rows 24; "${process.execPath}" "${worker()}" ${way} ${rest}`
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', CI: '' },
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
  const asks = rest === '' ? /Sure\?/ : /first step/
  const pressing = setInterval(() => {
    if (asks.test(screen) && !screen.includes('code:')) child.stdin.write(CTRL_C)
  }, 400)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearInterval(pressing)
  return { code, screen }
}

describe.runIf(hasTerminal)('Ctrl-C at a question', () => {
  it.each(['line', 'secret', 'confirm', 'menu'])(
    'of the kind %s gives the terminal back, says that nothing is taken back, and ends with 130',
    async (way) => {
      const { code, screen } = await brokenOff(way)
      expect(screen).toContain('Stopped. What was done until now stays done.')
      expect(screen).toContain('raw: false, code: 130')
      expect(code).toBe(130)
    },
  )

  it('that is asked while the terminal itself turns the key into a signal does the same', async () => {
    const { code, screen } = await brokenOff('line', '2>/dev/null')
    expect(screen).toContain('code: 130')
    expect(code).toBe(130)
  })
})
