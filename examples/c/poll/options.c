#include "options.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: poll listen ADDRESS:PORT [OPTIONS]\n"
    "       poll dial ENODE [OPTIONS]\n"
    "\n"
    "  --protocols NAME/VERSION:LENGTH,...   protocols to offer (default echo/1:16,echo/2:17)\n"
    "  --send COUNT      messages to send on each shared protocol (default 0: echo)\n"
    "  --size BYTES      size of each message that is sent, 8 to 16777215 (default 1024)\n"
    "  --take COUNT      do not echo, but expect COUNT messages from the peer on each protocol\n"
    "  --slow MILLIS     take this long to process each message\n"
    "  --links COUNT     dial: open COUNT links; listen: exit after COUNT links have ended\n"
    "  --max-inbound N   listen: refuse connections beyond N open ones (default 64)\n"
    "  --stay            dial: keep the link open when all messages are exchanged, until Ctrl-C\n"
    "  --quiet           print nothing about links that end well\n"
    "  --timeouts NAME=MILLIS,...            handshake, ping, pong, read, write, linger\n";

static _Noreturn void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("poll: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n\n%s", USAGE);
    va_end(arguments);
    exit(2);
}

/* A number that is all of `text` */
static uint64_t number(const char *option, const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0') {
        refuse("%s %s: not a number", option, text);
    }
    return value;
}

static uint64_t positive(const char *option, const char *text) {
    uint64_t value = number(option, text);
    if (value == 0) {
        refuse("%s 0: must be at least 1", option);
    }
    return value;
}

static uint64_t millis(const char *option, const char *text) {
    uint64_t value = number(option, text);
    return value > UINT64_MAX / 1000000 ? DEVP2P_NEVER : value * 1000000;
}

/* ADDRESS:PORT, where the address of IPv6 is in brackets */
static void read_address(struct options *options, const char *text) {
    char host[64];
    const char *port = strrchr(text, ':');
    size_t len = port == NULL ? 0 : (size_t)(port - text);
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (len == 0 || len >= sizeof host) {
        refuse("%s: not ADDRESS:PORT", text);
    }
    snprintf(host, sizeof host, "%.*s", (int)(len - 2 * brackets), text + brackets);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, port + 1, &hints, &found) != 0) {
        refuse("%s: not ADDRESS:PORT", text);
    }
    memcpy(&options->address, found->ai_addr, found->ai_addrlen);
    options->address_len = found->ai_addrlen;
    freeaddrinfo(found);
}

/* enode://ID@ADDRESS:PORT */
static void read_enode(struct options *options, const char *text) {
    devp2p_enode enode;
    devp2p_status status = devp2p_enode_parse(text, strlen(text), &enode);
    if (status != DEVP2P_STATUS_OK) {
        refuse("%s: %s", text, devp2p_status_text(status));
    }
    options->remote = enode.id;
    if (enode.address_len == sizeof(struct in_addr)) {
        struct sockaddr_in *address = (struct sockaddr_in *)&options->address;
        address->sin_family = AF_INET;
        address->sin_port = htons(enode.port);
        memcpy(&address->sin_addr, enode.address, enode.address_len);
        options->address_len = sizeof *address;
    } else {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&options->address;
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(enode.port);
        memcpy(&address->sin6_addr, enode.address, enode.address_len);
        options->address_len = sizeof *address;
    }
}

/* NAME/VERSION:LENGTH */
static devp2p_protocol read_protocol(char *text) {
    devp2p_protocol protocol = {0};
    char *colon = strrchr(text, ':');
    char *slash = strrchr(text, '/');
    if (colon == NULL || slash == NULL || slash > colon || slash - text >= DEVP2P_NAME_SIZE) {
        refuse("--protocols: cannot read %s", text);
    }
    memcpy(protocol.name, text, (size_t)(slash - text));
    *colon = '\0';
    protocol.version = number("--protocols", slash + 1);
    protocol.length = number("--protocols", colon + 1);
    return protocol;
}

static void read_protocols(struct options *options, char *text) {
    options->protocol_count = 0;
    for (char *part = strtok(text, ","); part != NULL; part = strtok(NULL, ",")) {
        if (options->protocol_count == DEVP2P_MAX_PROTOCOLS) {
            refuse("--protocols: more than %d", DEVP2P_MAX_PROTOCOLS);
        }
        options->protocols[options->protocol_count++] = read_protocol(part);
    }
}

static uint64_t *timeout(devp2p_timeouts *timeouts, const char *name) {
    struct {
        const char *name;
        uint64_t *timeout;
    } known[] = {{"handshake", &timeouts->handshake}, {"ping", &timeouts->ping},   {"pong", &timeouts->pong},
                 {"read", &timeouts->read},           {"write", &timeouts->write}, {"linger", &timeouts->linger}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].timeout;
        }
    }
    refuse("--timeouts: there is no timeout %s", name);
}

static void read_timeouts(struct options *options, char *text) {
    for (char *part = strtok(text, ","); part != NULL; part = strtok(NULL, ",")) {
        char *equals = strchr(part, '=');
        if (equals == NULL) {
            refuse("--timeouts: cannot read %s", part);
        }
        *equals = '\0';
        *timeout(&options->timeouts, part) = millis(part, equals + 1);
    }
}

/* Returns false if there is no such option without a value */
static bool read_flag(struct options *options, const char *option) {
    bool *flag = strcmp(option, "--stay") == 0 ? &options->stay : strcmp(option, "--quiet") == 0 ? &options->quiet : NULL;
    if (flag != NULL) {
        *flag = true;
    }
    return flag != NULL;
}

static void read_option(struct options *options, const char *option, char *value) {
    if (strcmp(option, "--protocols") == 0) {
        read_protocols(options, value);
    } else if (strcmp(option, "--send") == 0) {
        options->send = number(option, value);
    } else if (strcmp(option, "--size") == 0) {
        options->size = number(option, value);
    } else if (strcmp(option, "--take") == 0) {
        options->takes = true;
        options->take = number(option, value);
    } else if (strcmp(option, "--slow") == 0) {
        options->slow = millis(option, value);
    } else if (strcmp(option, "--links") == 0) {
        options->links = positive(option, value);
    } else if (strcmp(option, "--max-inbound") == 0) {
        options->max_inbound = positive(option, value);
    } else if (strcmp(option, "--timeouts") == 0) {
        read_timeouts(options, value);
    } else {
        refuse("unknown option %s", option);
    }
}

struct options read_options(int argc, char **argv) {
    char protocols[] = "echo/1:16,echo/2:17";
    devp2p_settings defaults;
    devp2p_settings_init(&defaults);
    struct options options = {.size = 1024, .max_inbound = 64, .timeouts = defaults.timeouts};
    read_protocols(&options, protocols);
    if (argc < 3) {
        refuse("a command is missing: use listen or dial");
    }
    options.dials = strcmp(argv[1], "dial") == 0;
    if (!options.dials && strcmp(argv[1], "listen") != 0) {
        refuse("unknown command %s: use listen or dial", argv[1]);
    }
    (options.dials ? read_enode : read_address)(&options, argv[2]);
    for (int i = 3; i < argc; i++) {
        if (read_flag(&options, argv[i])) {
            continue;
        }
        if (i + 1 == argc) {
            refuse("%s takes a value", argv[i]);
        }
        read_option(&options, argv[i], argv[i + 1]);
        i++;
    }
    if (options.size < 8 || options.size > DEVP2P_MAX_MESSAGE) {
        refuse("--size %zu: must be 8 to %d", options.size, DEVP2P_MAX_MESSAGE);
    }
    return options;
}
