/* The command line, the same as that of the drivers in Rust */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "devp2p.h"

struct options {
    bool dials;
    struct sockaddr_storage address;
    socklen_t address_len;
    /* The node to dial */
    devp2p_id remote;
    devp2p_protocol protocols[DEVP2P_MAX_PROTOCOLS];
    size_t protocol_count;
    uint64_t send;
    size_t size;
    /* Whether to expect `take` messages instead of echoing */
    bool takes;
    uint64_t take;
    /* Nanoseconds for each message */
    uint64_t slow;
    /* 0 for no limit */
    size_t links;
    size_t max_inbound;
    bool stay;
    bool quiet;
    devp2p_timeouts timeouts;
};

/* Reads the command line; if it is wrong, says why and ends the process */
struct options read_options(int argc, char **argv);

#endif
