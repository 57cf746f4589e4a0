/* One link and its socket */
#ifndef PEER_H
#define PEER_H

#include <poll.h>

#include "talk.h"

struct peer {
    int socket;
    bool is_connected;
    /* Whether there is more to do without waiting */
    bool again;
    devp2p_link *link;
    void *memory;
    struct talk talk;
    /* Input that the link has not taken yet */
    uint8_t *kept;
    size_t kept_len;
};

/* A link on a socket that does not block; takes the socket */
struct peer *peer_new(struct node *node, int socket, bool dials);

/* What to wait for, and until when */
struct pollfd peer_wait(const struct peer *peer, uint64_t now, uint64_t *until);

/* One turn after what has happened to the socket; returns true at the end of the link */
bool peer_turn(struct peer *peer, uint64_t now, short happened);

/* Ends the link since this node quits */
void peer_quit(struct peer *peer, uint64_t now);

void peer_free(struct peer *peer);

#endif
