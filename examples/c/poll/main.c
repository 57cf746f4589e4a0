/*
 * A node on poll(2): any number of links in one thread
 *
 *   poll listen 127.0.0.1:30303
 *   poll dial enode://... --send 1000
 *
 * It says and prints what the drivers in Rust do (examples/drivers/src/app). A link's loop is in peer.c, what its
 * protocols say is in talk.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

/* How long not to accept after that has failed, as it does when there are as many sockets as may be */
static const uint64_t ACCEPT_PAUSE = 100 * 1000000ULL;

/* The end of the pipe into which a signal writes */
static int signal_pipe[2];

struct reactor {
    struct node *node;
    /* -1 if nobody may connect */
    int listener;
    uint64_t accept_at;
    struct peer **peers;
    size_t count;
    struct pollfd *polled;
    size_t room;
    size_t ended;
    bool quits;
};

void must(devp2p_status status, const char *call) {
    if (status != DEVP2P_STATUS_OK) {
        fprintf(stderr, "poll: %s: %s\n", call, devp2p_status_text(status));
        abort();
    }
}

uint64_t clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void wipe(void *secret, size_t size) {
    for (volatile uint8_t *byte = secret; size > 0; size--) {
        *byte++ = 0;
    }
}

uint8_t *message_room(struct node *node, size_t len) {
    if (len > node->message_size) {
        free(node->message);
        node->message = malloc(len);
        node->message_size = len;
    }
    if (node->message == NULL && len > 0) {
        abort();
    }
    return node->message;
}

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "poll: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* 32-bit xorshift, as the drivers in Rust have it */
static uint8_t *make_noise(size_t len) {
    uint8_t *noise = malloc(len);
    uint32_t state = 0x2545f491;
    for (size_t i = 0; noise != NULL && i < len; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        noise[i] = (uint8_t)state;
    }
    return noise;
}

static void configure(struct node *node) {
    static _Alignas(DEVP2P_CONFIG_ALIGN) unsigned char memory[DEVP2P_CONFIG_SIZE];
    devp2p_settings settings;
    devp2p_settings_init(&settings);
    if (getentropy(settings.secret_key, sizeof settings.secret_key) != 0) {
        fail("getentropy");
    }
    strcpy(settings.client_id, "poll");
    settings.protocols = node->options.protocols;
    settings.protocol_count = node->options.protocol_count;
    settings.timeouts = node->options.timeouts;
    devp2p_status status = devp2p_config_init(memory, sizeof memory, &settings, &node->config);
    wipe(&settings, sizeof settings);
    if (status != DEVP2P_STATUS_OK) {
        fprintf(stderr, "poll: %s\n", devp2p_status_text(status));
        exit(2);
    }
}

static void on_signal(int number) {
    (void)number;
    int error = errno;
    /* If the pipe is full, a signal is in it already. */
    ssize_t written = write(signal_pipe[1], "", 1);
    (void)written;
    errno = error;
}

static void set_up_signals(void) {
    if (pipe(signal_pipe) != 0) {
        fail("pipe");
    }
    fcntl(signal_pipe[0], F_SETFL, O_NONBLOCK);
    fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A stream socket that does not block, for the address of the command line */
static int open_socket(const struct options *options) {
    int opened = socket(options->address.ss_family, SOCK_STREAM, 0);
    if (opened < 0) {
        fail("socket");
    }
    fcntl(opened, F_SETFL, O_NONBLOCK);
    return opened;
}

static void print_place(const struct node *node, int listener) {
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    devp2p_enode enode = {0};
    char url[192];
    MUST(devp2p_config_id(node->config, &enode.id));
    if (getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        fail("getsockname");
    }
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
        enode.port = ntohs(v4->sin_port);
        enode.address_len = sizeof v4->sin_addr;
        memcpy(enode.address, &v4->sin_addr, enode.address_len);
    } else {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
        enode.port = ntohs(v6->sin6_port);
        enode.address_len = sizeof v6->sin6_addr;
        memcpy(enode.address, &v6->sin6_addr, enode.address_len);
    }
    MUST(devp2p_enode_text(&enode, url, sizeof url, NULL));
    printf("listening %s\n", url);
}

static int start_listening(const struct node *node) {
    const struct options *options = &node->options;
    int listener = open_socket(options), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&options->address, options->address_len) != 0 ||
        listen(listener, 1024) != 0) {
        fail("listen");
    }
    print_place(node, listener);
    return listener;
}

static void add(struct reactor *reactor, int socket, bool dials) {
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer **peers = realloc(reactor->peers, (reactor->count + 1) * sizeof *peers);
    if (peers == NULL) {
        abort();
    }
    reactor->peers = peers;
    reactor->peers[reactor->count++] = peer_new(reactor->node, socket, dials);
}

static void dial(struct reactor *reactor) {
    const struct options *options = &reactor->node->options;
    int socket = open_socket(options);
    int outcome = connect(socket, (const struct sockaddr *)&options->address, options->address_len);
    if (outcome != 0 && errno != EINPROGRESS) {
        printf("%zu failed to connect: %s\n", ++reactor->node->links, strerror(errno));
        reactor->node->failures++;
        reactor->ended++;
        close(socket);
        return;
    }
    add(reactor, socket, true);
}

/* Accepts all who wait; who is too many is closed before it costs any computation */
static void accept_all(struct reactor *reactor, uint64_t now) {
    for (;;) {
        int socket = accept(reactor->listener, NULL, NULL);
        if (socket < 0) {
            bool none = errno == EAGAIN || errno == EWOULDBLOCK;
            reactor->accept_at = none ? 0 : now + ACCEPT_PAUSE;
            return;
        }
        if (reactor->count >= reactor->node->options.max_inbound) {
            close(socket);
            continue;
        }
        fcntl(socket, F_SETFL, O_NONBLOCK);
        add(reactor, socket, false);
    }
}

/* poll(2) takes milliseconds; a part of one is rounded up, or the process would spin for that long */
static int milliseconds(uint64_t now, uint64_t until) {
    if (until == DEVP2P_NEVER) {
        return -1;
    }
    uint64_t millis = until > now ? (until - now + 999999) / 1000000 : 0;
    return millis > 3600000 ? 3600000 : (int)millis;
}

static void make_room(struct reactor *reactor) {
    size_t needed = reactor->count + 2;
    if (needed > reactor->room) {
        struct pollfd *polled = realloc(reactor->polled, needed * sizeof *polled);
        if (polled == NULL) {
            abort();
        }
        reactor->polled = polled;
        reactor->room = needed;
    }
}

/* 2. Wait for what any link waits for */
static void wait_for_events(struct reactor *reactor) {
    uint64_t now = clock_now(), until = DEVP2P_NEVER;
    bool accepts = reactor->accept_at <= now;
    make_room(reactor);
    for (size_t i = 0; i < reactor->count; i++) {
        reactor->polled[i] = peer_wait(reactor->peers[i], now, &until);
    }
    if (reactor->listener >= 0 && !accepts && reactor->accept_at < until) {
        until = reactor->accept_at;
    }
    reactor->polled[reactor->count] = (struct pollfd){.fd = signal_pipe[0], .events = POLLIN};
    reactor->polled[reactor->count + 1] = (struct pollfd){.fd = accepts ? reactor->listener : -1, .events = POLLIN};
    if (poll(reactor->polled, reactor->count + 2, milliseconds(now, until)) < 0) {
        if (errno != EINTR) {
            fail("poll");
        }
        for (size_t i = 0; i < reactor->count + 2; i++) {
            reactor->polled[i].revents = 0;
        }
    }
}

static void take_turns(struct reactor *reactor, uint64_t now) {
    size_t kept = 0;
    for (size_t i = 0; i < reactor->count; i++) {
        struct peer *peer = reactor->peers[i];
        if (peer_turn(peer, now, reactor->polled[i].revents)) {
            peer_free(peer);
            reactor->ended++;
        } else {
            reactor->peers[kept++] = peer;
        }
    }
    reactor->count = kept;
}

static void quit(struct reactor *reactor, uint64_t now) {
    reactor->quits = true;
    if (reactor->listener >= 0) {
        close(reactor->listener);
        reactor->listener = -1;
    }
    for (size_t i = 0; i < reactor->count; i++) {
        peer_quit(reactor->peers[i], now);
    }
}

static bool is_done(const struct reactor *reactor) {
    size_t links = reactor->node->options.links;
    bool enough = reactor->listener >= 0 && links > 0 && reactor->ended >= links;
    return enough || (reactor->count == 0 && reactor->listener < 0);
}

static void run(struct reactor *reactor) {
    while (!is_done(reactor)) {
        wait_for_events(reactor);
        uint64_t now = clock_now();
        bool signalled = reactor->polled[reactor->count].revents != 0;
        bool knocked = reactor->polled[reactor->count + 1].revents != 0;
        take_turns(reactor, now);
        if (knocked && reactor->listener >= 0) {
            accept_all(reactor, now);
        }
        if (signalled && !reactor->quits) {
            quit(reactor, now);
        }
    }
}

int main(int argc, char **argv) {
    struct node node = {.options = read_options(argc, argv)};
    struct reactor reactor = {.node = &node, .listener = -1};
    setvbuf(stdout, NULL, _IOLBF, 0);
    configure(&node);
    node.noise = make_noise(node.options.size + 256);
    if (node.noise == NULL) {
        fail("malloc");
    }
    set_up_signals();
    if (node.options.dials) {
        size_t links = node.options.links > 0 ? node.options.links : 1;
        for (size_t i = 0; i < links; i++) {
            dial(&reactor);
        }
    } else {
        reactor.listener = start_listening(&node);
    }
    run(&reactor);
    for (size_t i = 0; i < reactor.count; i++) {
        peer_free(reactor.peers[i]);
    }
    MUST(devp2p_config_end(node.config));
    free(reactor.peers);
    free(reactor.polled);
    free(node.noise);
    free(node.message);
    return node.failures == 0 ? 0 : 1;
}
