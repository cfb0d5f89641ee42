// The init program for arm64 (see init-program.ts): as arm64.s -o init.o; objcopy -O binary -j .text init.o init
.globl _start
_start:
  ldr x0, [sp]                    // argc
  cmp x0, #1
  b.eq keep
  add x19, sp, #16                // argv + 1
  add x20, x19, x0, lsl #3        // envp
  mov x1, x20                     // where the next variable goes
  mov x2, x20                     // the next variable
  ldr x3, marker
next:
  ldr x4, [x2], #8
  cbz x4, end
  ldr x5, [x4]
  cmp x5, x3
  b.eq next
  str x4, [x1], #8
  b next
end:
  str xzr, [x1]
  mov x0, #0                      // close(0)
  mov x8, #57
  svc #0
  mov x0, #-100                   // openat(AT_FDCWD, "/dev/null", O_RDONLY)
  adr x1, null
  mov x2, #0
  mov x8, #56
  svc #0
  ldr x0, [x19]                   // execve(argv[1], argv + 1, envp)
  mov x1, x19
  mov x2, x20
  mov x8, #221
  svc #0
  mov x0, #127                    // exit(127)
  mov x8, #93
  svc #0
keep:
  mov x0, #17                     // rt_sigaction(SIGCHLD, SIG_IGN, NULL, 8)
  adr x1, ignore
  mov x2, #0
  mov x3, #8
  mov x8, #134
  svc #0
wait:
  mov x0, #0                      // ppoll(NULL, 0, NULL, NULL)
  mov x1, #0
  mov x2, #0
  mov x3, #0
  mov x8, #73
  svc #0
  b wait
.balign 8
marker: .quad 0x002d2d3d454d4f48  // HOME=-- and its zero
ignore: .quad 1, 0, 0, 0
null: .asciz "/dev/null"
