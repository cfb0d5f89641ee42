/**
 * System calls that a guest can't make. Default is to allow: customers bring any program, and what is refused here is
 * what reaches kernel code that no function needs (new namespaces, mounts, tracing, io_uring, keys, modules, ...).
 */

/** Same numbers on every architecture (linux/sched.h). New time namespaces need clone3 or unshare. */
const NAMESPACE_FLAGS = [
  0x00020000, // mount
  0x02000000, // cgroup
  0x04000000, // uts
  0x08000000, // ipc
  0x10000000, // user
  0x20000000, // pid
  0x40000000, // network
] as const

const EPERM = 1
const ENOSYS = 38

const REFUSED = [
  // Namespaces and mounts
  'mount',
  'umount',
  'umount2',
  'pivot_root',
  'chroot',
  'setns',
  'unshare',
  'move_mount',
  'open_tree',
  'open_tree_attr',
  'fsopen',
  'fsconfig',
  'fsmount',
  'fspick',
  'mount_setattr',
  'statmount',
  'listmount',
  'quotactl',
  'quotactl_fd',
  'nfsservctl',
  // Other processes
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'process_madvise',
  'kcmp',
  'pidfd_getfd',
  'migrate_pages',
  'move_pages',
  // Large kernel interfaces with a history
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
  'bpf',
  'perf_event_open',
  'userfaultfd',
  'fanotify_init',
  'fanotify_mark',
  'lookup_dcookie',
  'name_to_handle_at',
  'open_by_handle_at',
  'vmsplice',
  // Kernel keys are not namespaced by process or container
  'add_key',
  'request_key',
  'keyctl',
  // The machine itself
  'acct',
  'swapon',
  'swapoff',
  'reboot',
  'kexec_load',
  'kexec_file_load',
  'init_module',
  'finit_module',
  'delete_module',
  'create_module',
  'query_module',
  'get_kernel_syms',
  'syslog',
  'vhangup',
  'sethostname',
  'setdomainname',
  'settimeofday',
  'stime',
  'clock_settime',
  'clock_settime64',
  'clock_adjtime',
  'clock_adjtime64',
  'adjtimex',
  'ioperm',
  'iopl',
  'vm86',
  'vm86old',
  'modify_ldt',
  'sysfs',
  '_sysctl',
  'uselib',
  'ustat',
  'set_mempolicy_home_node',
  'mbind',
  'set_mempolicy',
  'lsm_set_self_attr',
] as const

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
}

/** The OCI form. Programs of another architecture (32-bit ones, say) are killed, as their calls are not filtered. */
export function seccompProfile(architecture: string) {
  const own = ARCHITECTURES[architecture]
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    ...(own === undefined ? {} : { architectures: [own] }),
    syscalls: [
      { names: [...REFUSED], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // Its flags lie in memory where a filter can't look; without it libraries use clone, whose flags it sees.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...NAMESPACE_FLAGS.map((flag) => ({
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
      })),
      // Terminal input injection into the terminal that the platform was started from.
      {
        names: ['ioctl'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 1, value: 0x5412, op: 'SCMP_CMP_EQ' }],
      },
    ],
  }
}
