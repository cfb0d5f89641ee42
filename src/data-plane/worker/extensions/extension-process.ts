/** The process of one external extension. */
import type { GuestExit } from '#contracts/invocation.ts'
import type { Guest } from '#data-plane/sandbox/port.ts'
import { createOutputPump } from '#data-plane/worker/log/output-pump.ts'
import type { Clock } from '#kernel/clock.ts'

export interface ExtensionProcess {
  readonly name: string
  /** Once it has ended. */
  readonly exit: GuestExit | undefined
  readonly exited: Promise<GuestExit>
  settleOutput(): Promise<void>
  kill(): void
}

export function superviseExtension(options: {
  readonly name: string
  readonly guest: Guest
  readonly onLines: (lines: readonly string[]) => void
  readonly onExit: () => void
  readonly clock: Clock
}): ExtensionProcess {
  const { name, guest, onLines, onExit, clock } = options
  const output = createOutputPump({ streams: [guest.stdout, guest.stderr], onLines, clock })
  let exit: GuestExit | undefined
  void guest.exited.then((how) => {
    exit = how
    onExit()
  })
  return {
    name,
    get exit() {
      return exit
    },
    exited: guest.exited,
    settleOutput: () => output.settle(),
    kill() {
      guest.signal('SIGKILL')
      output.stop()
    },
  }
}
