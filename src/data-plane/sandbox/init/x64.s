# The init program for x86-64 (see init-program.ts): as x64.s -o init.o; objcopy -O binary -j .text init.o init
.intel_syntax noprefix
.globl _start
_start:
  mov rcx, [rsp]                  # argc
  cmp rcx, 1
  je keep
  lea r12, [rsp + 16]             # argv + 1
  lea rdx, [rsp + rcx * 8 + 16]   # envp
  mov rbx, rdx                    # where the next variable goes
  mov rbp, rdx                    # the next variable
  movabs r8, 0x002d2d3d454d4f48   # HOME=-- and its zero
next:
  mov rax, [rbp]
  add rbp, 8
  test rax, rax
  jz end
  cmp [rax], r8
  je next
  mov [rbx], rax
  add rbx, 8
  jmp next
end:
  mov [rbx], rax
  mov r13, rdx
  mov eax, 3                      # close(0)
  xor edi, edi
  syscall
  lea rdi, [rip + null]           # open("/dev/null", O_RDONLY)
  xor esi, esi
  mov eax, 2
  syscall
  mov rdi, [r12]                  # execve(argv[1], argv + 1, envp)
  mov rsi, r12
  mov rdx, r13
  mov eax, 59
  syscall
  mov edi, 127                    # exit(127)
  mov eax, 60
  syscall
keep:
  mov edi, 17                     # rt_sigaction(SIGCHLD, SIG_IGN, NULL, 8)
  lea rsi, [rip + ignore]
  xor edx, edx
  mov r10d, 8
  mov eax, 13
  syscall
wait:
  mov eax, 34                     # pause()
  syscall
  jmp wait
.balign 8
ignore: .quad 1, 0, 0, 0
null: .asciz "/dev/null"
