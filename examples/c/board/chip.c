/* UART0 of the Cortex-M System Design Kit (ARM DDI 0479, 4.3), SysTick and NVIC (ARMv7-M architecture reference, B3) */
#include "chip.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CONTROL REGISTER(0x40004008)
#define UART_INTERRUPTS REGISTER(0x4000400c)
#define UART_DIVISOR REGISTER(0x40004010)

#define SYSTICK_CONTROL REGISTER(0xe000e010)
#define SYSTICK_RELOAD REGISTER(0xe000e014)
#define SYSTICK_COUNT REGISTER(0xe000e018)

#define NVIC_ENABLE REGISTER(0xe000e100)
#define NVIC_UNPEND REGISTER(0xe000e280)
#define SCB_INTERRUPTS REGISTER(0xe000ed04)

enum { TRANSMIT_FULL = 1, RECEIVE_FULL = 2 };
/* Transmit, receive, and an interrupt for each */
enum { ENABLE_ALL = 0xf, BOTH = 3, SMALLEST_DIVISOR = 16 };
/* The processor's clock, an interrupt at the end of a round, and the counter itself */
enum { COUNT_ALL = 7, HAS_WRAPPED = 1 << 16, ROUND = 1 << 24, UNPEND_SYSTICK = 1 << 25 };
/* At 25 MHz */
enum { NANOS_PER_CYCLE = 40 };

static uint64_t rounds;

void chip_start(void) {
    /* Interrupts stay masked: they have no handler, but wake the processor all the same (B1.5.19). */
    __asm__ volatile("cpsid i");
    UART_DIVISOR = SMALLEST_DIVISOR;
    UART_CONTROL = ENABLE_ALL;
    NVIC_ENABLE = BOTH;
    SYSTICK_RELOAD = ROUND - 1;
    SYSTICK_COUNT = 0;
    SYSTICK_CONTROL = COUNT_ALL;
    /* Zero until the first tick, which would be taken for the end of a round. */
    while (SYSTICK_COUNT == 0) {
    }
}

/* Must be called once in each round, 0.67 s; a round that is lost only lets time pass more slowly. */
uint64_t clock_now(void) {
    uint32_t count = SYSTICK_COUNT;
    /* Reading the flag clears it. A round that ended between the two reads belongs to the second. */
    if ((SYSTICK_CONTROL & HAS_WRAPPED) != 0) {
        rounds++;
        count = SYSTICK_COUNT;
    }
    return (rounds * ROUND + (ROUND - 1 - count)) * NANOS_PER_CYCLE;
}

size_t uart_write(const uint8_t *bytes, size_t len) {
    size_t taken = 0;
    while (taken < len && (UART_STATE & TRANSMIT_FULL) == 0) {
        UART_DATA = bytes[taken++];
    }
    return taken;
}

bool uart_read(uint8_t *byte) {
    if ((UART_STATE & RECEIVE_FULL) == 0) {
        return false;
    }
    *byte = (uint8_t)UART_DATA;
    return true;
}

void chip_sleep(bool input, bool room) {
    /* Forget what was announced, look once more, and only then sleep: what is announced from here on wakes. */
    UART_INTERRUPTS = BOTH;
    NVIC_UNPEND = BOTH;
    SCB_INTERRUPTS = UNPEND_SYSTICK;
    bool ready = (input && (UART_STATE & RECEIVE_FULL) != 0) || (room && (UART_STATE & TRANSMIT_FULL) == 0);
    if (!ready) {
        __asm__ volatile("wfi");
    }
}
