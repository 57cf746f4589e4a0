/* What happens before main (ARMv7-M architecture reference, B1.5) */
#include <stdint.h>

#include "host.h"

extern uint32_t stack_bottom[], stack_painted[], stack_top[];
extern uint32_t data_start[], data_end[], data_source[], bss_start[], bss_end[];

int main(void);

/* What the stack is painted with, to see how much of it was used */
static const uint32_t PAINT = 0xcccccccc;

/* Access to the floating-point unit, which the compilers may use for anything (B3.2.20) */
#define COPROCESSORS (*(volatile uint32_t *)0xe000ed88)
static const uint32_t FULL_ACCESS = 0xfu << 20;

__attribute__((noreturn)) void reset(void) {
    COPROCESSORS |= FULL_ACCESS;
    __asm__ volatile("dsb\n isb" ::: "memory");
    for (uint32_t *to = data_start, *from = data_source; to < data_end; to++, from++) {
        *to = *from;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    for (volatile uint32_t *to = stack_bottom; to < stack_painted; to++) {
        *to = PAINT;
    }
    host_exit(main());
}

uint32_t deepest_stack(void) {
    const volatile uint32_t *used = stack_bottom;
    while (used < stack_top && *used == PAINT) {
        used++;
    }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)used);
}

/* Every exception is a fault: interrupts stay masked, and only wake the processor */
static void fault(void) {
    host_print("fault\n");
    host_exit(102);
}

/* The initial stack pointer and 15 exceptions; the numbers of interrupts follow, and none of them has a handler */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
};
