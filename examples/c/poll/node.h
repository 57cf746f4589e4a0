/* What all links of this process have in common */
#ifndef NODE_H
#define NODE_H

#include "options.h"

struct node {
    struct options options;
    devp2p_config *config;
    /* What the messages are made of */
    uint8_t *noise;
    /* Where a message is put together */
    uint8_t *message;
    size_t message_size;
    size_t links;
    size_t failures;
};

/* Ends the process if the library refuses what this program never does */
void must(devp2p_status status, const char *call);

#define MUST(call) must(call, #call)

/* Overwrites a secret, which the compiler may not leave out */
void wipe(void *secret, size_t size);

/* Room for a message of so many bytes; its content is lost with the next call */
uint8_t *message_room(struct node *node, size_t len);

/* The time in nanoseconds */
uint64_t clock_now(void);

#endif
