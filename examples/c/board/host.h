/* Semihosting: what the computer that runs QEMU does for the board (ARM IHI 0074) */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void host_print(const char *text);
void host_print_number(uint32_t number);

/* The command line, with a zero at its end; returns false if it is longer */
bool host_command_line(char *line, size_t size);

/* Fills bytes from the random device of the computer; stands for the random generator of a chip */
bool host_random(void *bytes, size_t size);

__attribute__((noreturn)) void host_exit(int status);

/* How many bytes of the stack were ever used */
uint32_t deepest_stack(void);

#endif
