/* What the protocols of one link say, and what they make of what they hear */
#ifndef TALK_H
#define TALK_H

#include "node.h"

/* A message that the link has refused with DEVP2P_STATUS_FULL */
struct waiting {
    uint64_t code;
    uint8_t *payload;
    size_t len;
    bool is_there;
};

/* One shared protocol */
struct part {
    size_t protocol;
    uint64_t codes;
    uint64_t to_send, sent;
    bool echoes;
    uint64_t to_hear, heard;
    struct waiting waiting;
};

struct talk {
    struct node *node;
    size_t number;
    struct part parts[DEVP2P_MAX_PROTOCOLS];
    size_t count;
    /* With --slow, when the last message will have been dealt with */
    uint64_t busy_until;
    /* Whether the link knows that there is no room for another message */
    bool held;
};

struct talk talk_new(struct node *node);

/* Does all that the link asks for, but leaves it to the caller to send; returns true at the end of the link */
bool talk_act(struct talk *talk, uint64_t now, devp2p_link *link);

/* Tells how the link has ended, and frees what waits */
void talk_ended(struct talk *talk, const devp2p_link *link);

#endif
