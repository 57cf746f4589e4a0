#include "talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTED = 0x00, CLIENT_QUITTING = 0x08 };

/* Of how many places in the noise a message can be made */
enum { PLACES = 256 };

struct talk talk_new(struct node *node) {
    return (struct talk){.node = node, .number = ++node->links};
}

/* Whether this side ends the link when all messages are exchanged */
static bool parts_company(const struct talk *talk) {
    return talk->node->options.dials && !talk->node->options.stay;
}

/* Message `number` of our own: its number, and noise */
static const uint8_t *item(struct node *node, uint64_t number) {
    uint8_t *message = message_room(node, node->options.size);
    for (int i = 0; i < 8; i++) {
        message[i] = (uint8_t)(number >> 8 * i);
    }
    memcpy(message + 8, node->noise + number % PLACES, node->options.size - 8);
    return message;
}

static uint64_t code_of(const struct part *part, uint64_t number) {
    return part->codes == 0 ? 0 : number % part->codes;
}

static void start(struct talk *talk, const devp2p_link *link) {
    const struct options *options = &talk->node->options;
    devp2p_shared shared;
    while (devp2p_link_shared(link, talk->count, &shared) == DEVP2P_STATUS_OK) {
        struct part *part = &talk->parts[talk->count++];
        bool speaks = shared.length > 0;
        *part = (struct part){.protocol = shared.protocol, .codes = shared.length};
        part->to_send = speaks ? options->send : 0;
        part->echoes = !options->takes && options->send == 0 && !parts_company(talk);
        part->to_hear = !speaks ? 0 : options->takes ? options->take : options->send;
    }
}

/* A message that the link will never take is its protocol's failure, unless the link has ended anyway */
static void give_up(struct part *part, uint64_t now, devp2p_link *link, devp2p_status status) {
    if (status != DEVP2P_STATUS_OK && status != DEVP2P_STATUS_CLOSED) {
        MUST(devp2p_link_protocol_returned(link, now, part->protocol, DEVP2P_OUTCOME_FAILED, 0));
    }
}

static void keep(struct part *part, uint64_t code, const uint8_t *payload, size_t len) {
    part->waiting = (struct waiting){.code = code, .payload = malloc(len + 1), .len = len, .is_there = true};
    if (part->waiting.payload == NULL) {
        abort();
    }
    memcpy(part->waiting.payload, payload, len);
}

static void say(struct part *part, uint64_t now, devp2p_link *link, uint64_t code, const uint8_t *payload, size_t len) {
    devp2p_status status = devp2p_link_write(link, now, part->protocol, code, payload, len, NULL);
    if (status == DEVP2P_STATUS_FULL) {
        keep(part, code, payload, len);
    } else {
        give_up(part, now, link, status);
    }
}

static void forget(struct part *part) {
    free(part->waiting.payload);
    part->waiting = (struct waiting){0};
}

static struct part *part_of(struct talk *talk, size_t protocol) {
    for (size_t i = 0; i < talk->count; i++) {
        if (talk->parts[i].protocol == protocol) {
            return &talk->parts[i];
        }
    }
    return NULL;
}

static void flush(struct talk *talk, uint64_t now, devp2p_link *link, size_t protocol) {
    struct part *part = part_of(talk, protocol);
    if (part == NULL || !part->waiting.is_there) {
        return;
    }
    const struct waiting *waiting = &part->waiting;
    devp2p_status status =
        devp2p_link_write(link, now, protocol, waiting->code, waiting->payload, waiting->len, NULL);
    if (status != DEVP2P_STATUS_FULL) {
        forget(part);
        give_up(part, now, link, status);
    }
}

static bool is_expected(struct talk *talk, const struct part *part, const devp2p_deliver *message) {
    size_t size = talk->node->options.size;
    return part->heard < part->to_hear && message->code == code_of(part, part->heard) && message->len == size &&
           memcmp(item(talk->node, part->heard), message->payload, size) == 0;
}

static void hear(struct talk *talk, uint64_t now, devp2p_link *link, const devp2p_deliver *message) {
    struct part *part = part_of(talk, message->protocol);
    if (part == NULL) {
        return;
    }
    if (talk->node->options.slow > 0) {
        talk->busy_until = now + talk->node->options.slow;
    }
    if (part->echoes) {
        /* The payload is in the memory of the link, which `write` changes. */
        uint8_t *answer = message_room(talk->node, message->len);
        memcpy(answer, message->payload, message->len);
        say(part, now, link, message->code, answer, message->len);
    } else if (!is_expected(talk, part, message)) {
        MUST(devp2p_link_protocol_returned(link, now, part->protocol, DEVP2P_OUTCOME_BAD_MESSAGE, 0));
        return;
    }
    part->heard++;
}

static bool is_complete(const struct talk *talk) {
    for (size_t i = 0; i < talk->count; i++) {
        const struct part *part = &talk->parts[i];
        bool heard = part->echoes || part->heard == part->to_hear;
        if (part->sent != part->to_send || !heard || part->waiting.is_there) {
            return false;
        }
    }
    return talk->count > 0;
}

static bool is_ending(const devp2p_link *link) {
    devp2p_cause cause;
    return devp2p_link_cause(link, &cause) == DEVP2P_STATUS_OK;
}

/* Gives the link what there is to say, as much as it takes, and ends the link when all is said */
static void speak(struct talk *talk, uint64_t now, devp2p_link *link) {
    for (size_t i = 0; i < talk->count; i++) {
        struct part *part = &talk->parts[i];
        while (part->sent < part->to_send && !part->waiting.is_there && !is_ending(link)) {
            const uint8_t *message = item(talk->node, part->sent);
            uint64_t code = code_of(part, part->sent++);
            say(part, now, link, code, message, talk->node->options.size);
        }
    }
    if (parts_company(talk) && is_complete(talk) && !is_ending(link)) {
        MUST(devp2p_link_disconnect(link, now, CLIENT_QUITTING));
    }
}

static void hold_input(struct talk *talk, uint64_t now, devp2p_link *link) {
    bool held = now < talk->busy_until;
    for (size_t i = 0; i < talk->count; i++) {
        held |= talk->parts[i].echoes && talk->parts[i].waiting.is_there;
    }
    if (held != talk->held) {
        talk->held = held;
        MUST(devp2p_link_hold_input(link, now, held));
    }
}

static void print_claim(const struct talk *talk, const devp2p_id *id) {
    printf("%zu claims ", talk->number);
    for (size_t i = 0; i < DEVP2P_ID_SIZE; i++) {
        printf("%02x", id->bytes[i]);
    }
    puts("");
}

static void print_ready(const struct talk *talk, const devp2p_link *link) {
    devp2p_hello hello;
    devp2p_shared shared;
    MUST(devp2p_link_remote_hello(link, &hello));
    printf("%zu ready %s:", talk->number, hello.client_id);
    for (size_t i = 0; devp2p_link_shared(link, i, &shared) == DEVP2P_STATUS_OK; i++) {
        printf(" %s/%" PRIu64, shared.capability.name, shared.capability.version);
    }
    puts("");
}

bool talk_act(struct talk *talk, uint64_t now, devp2p_link *link) {
    bool quiet = talk->node->options.quiet;
    for (;;) {
        devp2p_action action;
        speak(talk, now, link);
        hold_input(talk, now, link);
        MUST(devp2p_link_poll(link, &action));
        switch (action.kind) {
        case DEVP2P_ACTION_KIND_NONE:
        case DEVP2P_ACTION_KIND_SEND:
            return false;
        case DEVP2P_ACTION_KIND_DISCONNECT:
            return true;
        case DEVP2P_ACTION_KIND_IDENTITY_CLAIMED:
            if (!quiet) {
                print_claim(talk, &action.of.identity_claimed);
            }
            break;
        case DEVP2P_ACTION_KIND_READY:
            if (!quiet) {
                print_ready(talk, link);
            }
            start(talk, link);
            break;
        case DEVP2P_ACTION_KIND_DELIVER:
            hear(talk, now, link, &action.of.deliver);
            break;
        case DEVP2P_ACTION_KIND_WRITABLE:
            flush(talk, now, link, action.of.writable);
            break;
        default:
            break;
        }
    }
}

void talk_ended(struct talk *talk, const devp2p_link *link) {
    uint64_t sent = 0, heard = 0;
    bool complete = is_complete(talk);
    devp2p_cause cause;
    char text[128];
    for (size_t i = 0; i < talk->count; i++) {
        sent += talk->parts[i].sent;
        heard += talk->parts[i].heard;
        forget(&talk->parts[i]);
    }
    MUST(devp2p_link_cause(link, &cause));
    MUST(devp2p_link_cause_text(link, text, sizeof text, NULL));
    bool well = complete && (cause.reason == CLIENT_QUITTING || cause.reason == REQUESTED);
    talk->node->failures += !well;
    if (!(well && talk->node->options.quiet)) {
        printf("%zu ended %#" PRIx64 " %s; sent %" PRIu64 ", heard %" PRIu64 ", %s\n", talk->number, cause.reason, text,
               sent, heard, complete ? "complete" : "incomplete");
    }
}
