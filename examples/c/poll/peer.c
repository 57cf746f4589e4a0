#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CLIENT_QUITTING = 0x08 };

/* The most bytes that are read at once */
enum { SCRATCH = 65536 };

struct peer *peer_new(struct node *node, int socket, bool dials) {
    struct peer *peer = calloc(1, sizeof *peer);
    void *memory = aligned_alloc(DEVP2P_LINK_ALIGN, DEVP2P_LINK_SIZE);
    devp2p_entropy entropy;
    uint64_t now = clock_now();
    if (peer == NULL || memory == NULL || getentropy(entropy.bytes, sizeof entropy.bytes) != 0) {
        abort();
    }
    *peer = (struct peer){.socket = socket, .is_connected = !dials, .memory = memory, .talk = talk_new(node)};
    if (dials) {
        MUST(devp2p_link_initiator(memory, DEVP2P_LINK_SIZE, now, node->config, &node->options.remote, &entropy, NULL,
                                   &peer->link));
    } else {
        MUST(devp2p_link_recipient(memory, DEVP2P_LINK_SIZE, now, node->config, &entropy, NULL, &peer->link));
    }
    wipe(&entropy, sizeof entropy);
    return peer;
}

static bool wants_input(const struct peer *peer) {
    bool wants;
    MUST(devp2p_link_wants_input(peer->link, &wants));
    return wants;
}

static size_t unsent(const struct peer *peer, const uint8_t **bytes) {
    size_t len;
    MUST(devp2p_link_unsent(peer->link, bytes, &len));
    return len;
}

struct pollfd peer_wait(const struct peer *peer, uint64_t now, uint64_t *until) {
    const uint8_t *bytes;
    uint64_t timeout;
    short events = 0;
    MUST(devp2p_link_next_timeout(peer->link, &timeout));
    *until = timeout < *until ? timeout : *until;
    if (now < peer->talk.busy_until && peer->talk.busy_until < *until) {
        *until = peer->talk.busy_until;
    }
    bool more = peer->kept_len > 0 && wants_input(peer);
    if (more || peer->again) {
        *until = 0;
    }
    if (peer->is_connected && wants_input(peer)) {
        events |= POLLIN;
    }
    if (!peer->is_connected || unsent(peer, &bytes) > 0) {
        events |= POLLOUT;
    }
    /* poll(2) always reports errors; a socket of which nothing is wanted must not wake the process again and again. */
    return (struct pollfd){.fd = events == 0 ? -1 : peer->socket, .events = events};
}

/* Gives the link bytes for as long as it takes them; returns true at the end of the link */
static bool feed(struct peer *peer, uint64_t now, const uint8_t *bytes, size_t len, size_t *taken) {
    *taken = 0;
    while (*taken < len && wants_input(peer)) {
        size_t more;
        MUST(devp2p_link_receive(peer->link, now, bytes + *taken, len - *taken, &more));
        *taken += more;
        if (talk_act(&peer->talk, now, peer->link)) {
            return true;
        }
    }
    return false;
}

static void keep(struct peer *peer, const uint8_t *bytes, size_t len) {
    uint8_t *kept = NULL;
    if (len > 0) {
        kept = malloc(len);
        if (kept == NULL) {
            abort();
        }
        memcpy(kept, bytes, len);
    }
    free(peer->kept);
    peer->kept = kept;
    peer->kept_len = len;
}

/* Reads once, and gives the link what came; returns true at the end of the link */
static bool read_input(struct peer *peer, uint64_t now) {
    static uint8_t scratch[SCRATCH];
    size_t taken;
    ssize_t len = read(peer->socket, scratch, sizeof scratch);
    if (len > 0) {
        bool over = feed(peer, now, scratch, (size_t)len, &taken);
        keep(peer, scratch + taken, (size_t)len - taken);
        return over;
    }
    if (len == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        MUST(devp2p_link_receive_closed(peer->link, now));
    }
    return false;
}

static bool receive(struct peer *peer, uint64_t now, bool readable) {
    if (!wants_input(peer)) {
        return false;
    }
    if (peer->kept_len > 0) {
        size_t taken;
        bool over = feed(peer, now, peer->kept, peer->kept_len, &taken);
        keep(peer, peer->kept + taken, peer->kept_len - taken);
        return over;
    }
    return readable && read_input(peer, now);
}

/* Writes once; returns whether the link may do more at once: the socket has taken something, or has failed */
static bool send_output(struct peer *peer, uint64_t now) {
    const uint8_t *bytes;
    size_t len = unsent(peer, &bytes);
    if (len == 0) {
        return false;
    }
    ssize_t sent = send(peer->socket, bytes, len, 0);
    if (sent >= 0) {
        MUST(devp2p_link_sent(peer->link, now, (size_t)sent));
        return sent > 0;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return false;
    }
    /* The peer's last word may still be there to be read, and so may a message that was held. */
    MUST(devp2p_link_send_failed(peer->link, now));
    return true;
}

/* Notes the outcome of connect(2); returns true if it has failed */
static bool note_connected(struct peer *peer) {
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(peer->socket, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    if (error != 0) {
        printf("%zu failed to connect: %s\n", peer->talk.number, strerror(error));
        peer->talk.node->failures++;
        return true;
    }
    peer->is_connected = true;
    return false;
}

bool peer_turn(struct peer *peer, uint64_t now, short happened) {
    if (!peer->is_connected && happened != 0 && note_connected(peer)) {
        return true;
    }
    bool over = peer->is_connected && receive(peer, now, happened != 0);
    if (!over) {
        MUST(devp2p_link_handle_timeout(peer->link, now));
        over = talk_act(&peer->talk, now, peer->link);
    }
    if (over) {
        talk_ended(&peer->talk, peer->link);
        return true;
    }
    peer->again = peer->is_connected && send_output(peer, now);
    return false;
}

void peer_quit(struct peer *peer, uint64_t now) {
    MUST(devp2p_link_disconnect(peer->link, now, CLIENT_QUITTING));
    peer->again = true;
}

void peer_free(struct peer *peer) {
    MUST(devp2p_link_end(peer->link));
    close(peer->socket);
    free(peer->memory);
    free(peer->kept);
    free(peer);
}
