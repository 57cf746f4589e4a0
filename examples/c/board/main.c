/*
 * A node on a Cortex-M4 without an allocator and without a standard library of Rust
 *
 * The UART is the connection. By the command line `recipient` the node waits for a peer and returns what it is sent
 * until the peer says goodbye. By `initiator ID` it dials, sends a hundred messages, checks that each comes back as it
 * was, and says goodbye.
 */
#include <string.h>

#include "chip.h"
#include "devp2p.h"
#include "host.h"

enum { CLIENT_QUITTING = 0x08, SUBPROTOCOL = 0x10 };
enum { MAX_MESSAGE = 1024, MESSAGES = 100, TABLE_LEN = 256, PROTOCOLS = 2, ECHO = 0 };

static const devp2p_protocol protocols[PROTOCOLS] = {
    {.name = "echo", .version = 2, .length = 17},
    {.name = "bulk", .version = 1, .length = 4},
};

static _Alignas(DEVP2P_CONFIG_ALIGN) uint8_t config_memory[DEVP2P_CONFIG_SIZE];
static _Alignas(DEVP2P_LINK_ALIGN) uint8_t link_memory[DEVP2P_LINK_SIZE];
static _Alignas(DEVP2P_SLOT_ALIGN) uint8_t slots[PROTOCOLS * DEVP2P_SLOT_SIZE];
static uint8_t receive_buffer[DEVP2P_RECEIVE_LEN(MAX_MESSAGE)];
static uint8_t transmit_buffer[DEVP2P_TRANSMIT_LEN(PROTOCOLS * DEVP2P_FRAME_LEN(MAX_MESSAGE))];
static uint16_t table[TABLE_LEN];

/* What the node does */
struct session {
    bool dials;
    bool is_ready;
    uint32_t sent, heard;
    /* A message that is to be returned, and that the link has not taken yet */
    bool holds;
    size_t protocol;
    uint64_t code;
    size_t len;
    uint8_t message[MAX_MESSAGE];
    bool is_wrong;
};

static struct session session;

static __attribute__((noreturn)) void fail(const char *what, const char *why) {
    host_print(what);
    host_print(": ");
    host_print(why);
    host_print("\n");
    host_exit(1);
}

static void must(devp2p_status status, const char *call) {
    if (status != DEVP2P_STATUS_OK) {
        fail(call, devp2p_status_text(status));
    }
}

#define MUST(call) must(call, #call)

static void must_be_random(void *bytes, size_t size) {
    if (!host_random(bytes, size)) {
        fail("random generator", "does not answer");
    }
}

static int digit(char character) {
    return character >= '0' && character <= '9'   ? character - '0'
           : character >= 'a' && character <= 'f' ? character - 'a' + 10
                                                  : -1;
}

static bool read_id(const char *text, devp2p_id *id) {
    for (size_t i = 0; i < DEVP2P_ID_SIZE; i++, text += 2) {
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0) {
            return false;
        }
        id->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void print_id(const devp2p_config *config) {
    static const char digits[] = "0123456789abcdef";
    devp2p_id id;
    char text[2 * DEVP2P_ID_SIZE + 1] = {0};
    MUST(devp2p_config_id(config, &id));
    for (size_t i = 0; i < DEVP2P_ID_SIZE; i++) {
        text[2 * i] = digits[id.bytes[i] >> 4];
        text[2 * i + 1] = digits[id.bytes[i] & 15];
    }
    host_print("this node is ");
    host_print(text);
    host_print("\n");
}

static devp2p_config *configure(void) {
    static devp2p_settings settings;
    devp2p_config *config;
    devp2p_settings_init(&settings);
    must_be_random(settings.secret_key, sizeof settings.secret_key);
    strcpy(settings.client_id, "devp2p-c/board");
    settings.protocols = protocols;
    settings.protocol_count = PROTOCOLS;
    settings.max_message = settings.max_send = MAX_MESSAGE;
    MUST(devp2p_config_init(config_memory, sizeof config_memory, &settings, &config));
    memset(settings.secret_key, 0, sizeof settings.secret_key);
    return config;
}

static devp2p_link *open_link(const devp2p_config *config, const devp2p_id *remote) {
    static devp2p_entropy entropy;
    const devp2p_buffers buffers = {receive_buffer, sizeof receive_buffer, transmit_buffer, sizeof transmit_buffer,
                                    table,          TABLE_LEN,             slots,           sizeof slots};
    devp2p_link *link;
    must_be_random(entropy.bytes, sizeof entropy.bytes);
    if (remote != NULL) {
        MUST(devp2p_link_initiator(link_memory, sizeof link_memory, clock_now(), config, remote, &entropy, &buffers, &link));
    } else {
        MUST(devp2p_link_recipient(link_memory, sizeof link_memory, clock_now(), config, &entropy, &buffers, &link));
    }
    memset(&entropy, 0, sizeof entropy);
    return link;
}

/* Byte `at` of our message `number`: by turns what Snappy can compress and what it cannot */
static uint8_t pattern(uint32_t number, size_t at) {
    uint32_t seed = (number * 1024 + (uint32_t)at) * 2654435761u;
    return number % 2 == 0 ? (uint8_t)(at / 16) : (uint8_t)(seed >> 24);
}

static size_t size_of(uint32_t number) {
    static const size_t sizes[] = {0, 1, 32, 255, 256, 500, 1000, MAX_MESSAGE};
    return sizes[number % (sizeof sizes / sizeof *sizes)];
}

/* Writes a message directly into the transmit buffer, since there is no memory for a second copy */
static size_t fill(void *number, uint8_t *room, size_t max) {
    for (size_t i = 0; i < max; i++) {
        room[i] = pattern(*(const uint32_t *)number, i);
    }
    return max;
}

static void say(uint64_t now, devp2p_link *link) {
    while (session.dials && session.is_ready && session.sent < MESSAGES) {
        uint32_t number = session.sent;
        devp2p_status status =
            devp2p_link_write_with(link, now, ECHO, number % 17, size_of(number), fill, &number, NULL);
        if (status == DEVP2P_STATUS_FULL || status == DEVP2P_STATUS_CLOSED) {
            return;
        }
        must(status, "devp2p_link_write_with");
        session.sent++;
    }
}

static void give_back(uint64_t now, devp2p_link *link) {
    if (!session.holds) {
        return;
    }
    devp2p_status status =
        devp2p_link_write(link, now, session.protocol, session.code, session.message, session.len, NULL);
    if (status == DEVP2P_STATUS_OK || status == DEVP2P_STATUS_CLOSED) {
        session.holds = false;
        session.sent += !session.dials;
    } else if (status != DEVP2P_STATUS_FULL) {
        must(status, "devp2p_link_write");
    }
}

static bool is_expected(const devp2p_deliver *message) {
    uint32_t number = session.heard;
    bool same = message->protocol == ECHO && message->code == number % 17 && message->len == size_of(number);
    for (size_t i = 0; same && i < message->len; i++) {
        same = message->payload[i] == pattern(number, i);
    }
    return same;
}

static void hear(uint64_t now, devp2p_link *link, const devp2p_deliver *message) {
    if (!session.dials) {
        session.holds = true;
        session.protocol = message->protocol;
        session.code = message->code;
        session.len = message->len;
        memcpy(session.message, message->payload, message->len);
    } else if (!is_expected(message)) {
        session.is_wrong = true;
        MUST(devp2p_link_protocol_returned(link, now, message->protocol, DEVP2P_OUTCOME_BAD_MESSAGE, 0));
    }
    session.heard++;
    if (session.dials && session.heard == MESSAGES) {
        MUST(devp2p_link_disconnect(link, now, CLIENT_QUITTING));
    }
}

/* 1. Does what the link asks for; returns true at the end of the link */
static bool act(uint64_t now, devp2p_link *link, devp2p_cause *cause) {
    for (;;) {
        devp2p_action action;
        say(now, link);
        give_back(now, link);
        MUST(devp2p_link_hold_input(link, now, session.holds));
        MUST(devp2p_link_poll(link, &action));
        switch (action.kind) {
        case DEVP2P_ACTION_KIND_NONE:
        case DEVP2P_ACTION_KIND_SEND:
            return false;
        case DEVP2P_ACTION_KIND_READY:
            session.is_ready = true;
            break;
        case DEVP2P_ACTION_KIND_DELIVER:
            hear(now, link, &action.of.deliver);
            break;
        case DEVP2P_ACTION_KIND_DISCONNECT:
            *cause = action.of.disconnect;
            return true;
        default:
            break;
        }
    }
}

static bool send_output(uint64_t now, devp2p_link *link, bool *waits) {
    const uint8_t *bytes;
    size_t len;
    MUST(devp2p_link_unsent(link, &bytes, &len));
    size_t sent = uart_write(bytes, len);
    if (sent > 0) {
        MUST(devp2p_link_sent(link, now, sent));
    }
    *waits = sent < len;
    return sent > 0;
}

static bool read_input(uint64_t now, devp2p_link *link, bool *waits) {
    uint8_t byte;
    size_t taken;
    MUST(devp2p_link_wants_input(link, waits));
    if (!*waits || !uart_read(&byte)) {
        return false;
    }
    /* The link wants input, so it takes the byte. */
    MUST(devp2p_link_receive(link, now, &byte, 1, &taken));
    return true;
}

static devp2p_cause drive(devp2p_link *link) {
    devp2p_cause cause;
    for (;;) {
        uint64_t now = clock_now();
        bool input, room;
        /* 4. Tell the link the time. */
        MUST(devp2p_link_handle_timeout(link, now));
        if (act(now, link, &cause)) {
            return cause;
        }
        bool sent = send_output(now, link, &room);
        /* 3. Give the link what came. */
        bool received = read_input(now, link, &input);
        /* 2. Wait. */
        if (!sent && !received) {
            chip_sleep(input, room);
        }
    }
}

static void print_figure(const char *name, uint32_t number) {
    host_print(name);
    host_print_number(number);
    host_print("\n");
}

static bool tell_end(const devp2p_link *link, const devp2p_cause *cause) {
    char text[96];
    MUST(devp2p_link_cause_text(link, text, sizeof text, NULL));
    host_print("ended: ");
    host_print(text);
    print_figure("\nheard: ", session.heard);
    print_figure("deepest stack: ", deepest_stack());
    return cause->reason == CLIENT_QUITTING && !session.is_wrong && (session.heard == MESSAGES || !session.dials);
}

int main(void) {
    char line[192];
    devp2p_id remote;
    chip_start();
    if (!host_command_line(line, sizeof line)) {
        fail("command line", "too long");
    }
    /* The name of the image may come first. */
    const char *initiator = strstr(line, "initiator ");
    session.dials = initiator != NULL;
    if (session.dials ? !read_id(initiator + strlen("initiator "), &remote) : strstr(line, "recipient") == NULL) {
        fail("command line", line);
    }
    devp2p_config *config = configure();
    print_id(config);
    devp2p_link *link = open_link(config, session.dials ? &remote : NULL);
    devp2p_cause cause = drive(link);
    bool well = tell_end(link, &cause);
    MUST(devp2p_link_end(link));
    MUST(devp2p_config_end(config));
    return well ? 0 : 1;
}
