#include "host.h"

enum { OPEN = 0x01, CLOSE = 0x02, WRITE0 = 0x04, READ = 0x06, GET_CMDLINE = 0x15, EXIT_EXTENDED = 0x20 };

static const uint32_t APPLICATION_EXIT = 0x20026;

static uint32_t call(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void host_print(const char *text) {
    call(WRITE0, text);
}

void host_print_number(uint32_t number) {
    char digits[11], *first = digits + sizeof digits - 1;
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    host_print(first);
}

bool host_command_line(char *line, size_t size) {
    struct {
        char *line;
        size_t size;
    } block = {line, size};
    return call(GET_CMDLINE, &block) == 0;
}

bool host_random(void *bytes, size_t size) {
    static const char name[] = "/dev/urandom";
    /* Mode 1 reads bytes as they are. */
    const struct {
        const char *name;
        uint32_t mode;
        size_t len;
    } device = {name, 1, sizeof name - 1};
    uint32_t file = call(OPEN, &device);
    if (file == UINT32_MAX) {
        return false;
    }
    const struct {
        uint32_t file;
        void *bytes;
        size_t size;
    } block = {file, bytes, size};
    /* The result is how many bytes were not read. */
    bool filled = call(READ, &block) == 0;
    call(CLOSE, &file);
    return filled;
}

void host_exit(int status) {
    const uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        call(EXIT_EXTENDED, block);
    }
}
