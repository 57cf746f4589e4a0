/* Takes one connection, and runs the loop of README.md on it, in buffers of this program */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "devp2p.h"

enum { MAX_MESSAGE = 65536, TABLE_LEN = 16384, PROTOCOLS = 2 };

/* In README.md */
uint64_t now(void);
void drive(devp2p_link *link, int socket);

static void must(devp2p_status status) {
    if (status != DEVP2P_STATUS_OK) {
        fprintf(stderr, "listen: %s\n", devp2p_status_text(status));
        exit(2);
    }
}

static devp2p_config *configure(void) {
    static const devp2p_code_limit limits[1] = {{.code = 16, .max_message = 1000}};
    static const devp2p_protocol protocols[PROTOCOLS] = {
        {.name = "echo", .version = 2, .length = 17, .code_limits = limits, .code_limit_count = 1},
        {.name = "bulk", .version = 1, .length = 4},
    };
    static _Alignas(DEVP2P_CONFIG_ALIGN) unsigned char memory[DEVP2P_CONFIG_SIZE];
    devp2p_settings settings;
    devp2p_config *config;
    devp2p_settings_init(&settings);
    if (getentropy(settings.secret_key, sizeof settings.secret_key) != 0) {
        exit(2);
    }
    strcpy(settings.client_id, "listen");
    settings.protocols = protocols;
    settings.protocol_count = PROTOCOLS;
    settings.max_message = settings.max_send = MAX_MESSAGE;
    must(devp2p_config_init(memory, sizeof memory, &settings, &config));
    return config;
}

static int start_listening(const devp2p_config *config) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    devp2p_id id;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        exit(2);
    }
    must(devp2p_config_id(config, &id));
    printf("listening enode://");
    for (size_t i = 0; i < DEVP2P_ID_SIZE; i++) {
        printf("%02x", id.bytes[i]);
    }
    printf("@127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(void) {
    static uint16_t table[TABLE_LEN];
    size_t receive_len, transmit_len;
    devp2p_config *config = configure();
    devp2p_entropy entropy;
    devp2p_link *link;
    must(devp2p_config_receive_len(config, &receive_len));
    must(devp2p_config_transmit_len(config, &transmit_len));
    /* Each is of exactly the size that it must have, so that the sanitizers notice what is beyond. */
    void *memory = aligned_alloc(DEVP2P_LINK_ALIGN, DEVP2P_LINK_SIZE);
    const devp2p_buffers buffers = {malloc(receive_len),  receive_len, malloc(transmit_len),
                                    transmit_len,         table,       TABLE_LEN,
                                    malloc(PROTOCOLS * DEVP2P_SLOT_SIZE), PROTOCOLS * DEVP2P_SLOT_SIZE};
    int listener = start_listening(config), socket = accept(listener, NULL, NULL);
    if (socket < 0 || getentropy(entropy.bytes, sizeof entropy.bytes) != 0) {
        exit(2);
    }
    must(devp2p_link_recipient(memory, DEVP2P_LINK_SIZE, now(), config, &entropy, &buffers, &link));
    drive(link, socket);
    must(devp2p_config_end(config));
    free(memory);
    free(buffers.receive);
    free(buffers.transmit);
    free(buffers.slots);
    return 0;
}
