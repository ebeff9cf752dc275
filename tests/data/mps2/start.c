/* Starts a program on an MPS2 board, with newlib for semihosting. */

#include <stdint.h>

extern uint32_t stack_top[];
extern void _start(void); /* newlib's */

static void stop(void)
{
    for (;;) {
    }
}

static void reset(void)
{
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* the FPU is off after a reset */
    __asm volatile("dsb\n\tisb");
#endif
    _start();
}

__attribute__((section(".vectors"), used)) void *const vectors[] = {
    stack_top, (void *)reset, (void *)stop, (void *)stop, (void *)stop, (void *)stop,
};
