/* The clock and the UART of the chip */
#ifndef CHIP_H
#define CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void chip_start(void);

/* Nanoseconds since the start */
uint64_t clock_now(void);

/* Takes as many bytes as the UART has room for, and returns how many */
size_t uart_write(const uint8_t *bytes, size_t len);

/* Whether a byte has come, which is then in `*byte` */
bool uart_read(uint8_t *byte);

/* Sleeps until a byte has come or can leave, if that is waited for, or until the end of a round of the clock */
void chip_sleep(bool input, bool room);

#endif
