/* The sizes in the header, compared with those of the library; and that NULL is refused by a call from C */
#include <stdio.h>

#include "devp2p.h"

static int failures;

static void compare(const char *what, size_t max, size_t macro, size_t library) {
    if (macro != library) {
        printf("%s of %zu: %zu in the header, %zu in the library\n", what, max, macro, library);
        failures++;
    }
}

/* As many protocols as there may be, in memory of exactly the sizes in the header */
static devp2p_status start_largest(void) {
    static _Alignas(DEVP2P_CONFIG_ALIGN) unsigned char config_memory[DEVP2P_CONFIG_SIZE];
    static _Alignas(DEVP2P_LINK_ALIGN) unsigned char link_memory[DEVP2P_LINK_SIZE];
    static _Alignas(DEVP2P_SLOT_ALIGN) unsigned char slots[DEVP2P_MAX_PROTOCOLS * DEVP2P_SLOT_SIZE];
    static uint8_t receive[DEVP2P_RECEIVE_LEN(1000)];
    static uint8_t transmit[DEVP2P_TRANSMIT_LEN(DEVP2P_MAX_PROTOCOLS * DEVP2P_FRAME_LEN(1000))];
    static devp2p_protocol protocols[DEVP2P_MAX_PROTOCOLS];
    const devp2p_buffers buffers = {receive, sizeof receive, transmit, sizeof transmit, NULL, 0, slots, sizeof slots};
    devp2p_settings settings;
    devp2p_entropy entropy;
    devp2p_config *config;
    devp2p_link *link;
    devp2p_settings_init(&settings);
    for (size_t i = 0; i < DEVP2P_MAX_PROTOCOLS; i++) {
        protocols[i] = (devp2p_protocol){.name = {(char)('a' + i)}, .version = 1, .length = 1};
    }
    for (size_t i = 0; i < sizeof entropy.bytes; i++) {
        entropy.bytes[i] = (uint8_t)(i + 1);
    }
    settings.secret_key[31] = 1;
    settings.protocols = protocols;
    settings.protocol_count = DEVP2P_MAX_PROTOCOLS;
    settings.max_message = settings.max_send = 1000;
    devp2p_status status = devp2p_config_init(config_memory, sizeof config_memory, &settings, &config);
    if (status != DEVP2P_STATUS_OK) {
        return status;
    }
    status = devp2p_link_recipient(link_memory, sizeof link_memory, 0, config, &entropy, &buffers, &link);
    if (status != DEVP2P_STATUS_OK) {
        return status;
    }
    status = devp2p_link_end(link);
    return status != DEVP2P_STATUS_OK ? status : devp2p_config_end(config);
}

int main(void) {
    for (size_t max = 0; max < 70000; max++) {
        compare("receive", max, DEVP2P_RECEIVE_LEN(max), devp2p_receive_len(max));
        compare("transmit", max, DEVP2P_TRANSMIT_LEN(DEVP2P_FRAME_LEN(max)), devp2p_transmit_len(max));
    }
    for (size_t max = DEVP2P_MAX_MESSAGE - 9999; max <= DEVP2P_MAX_MESSAGE; max += 11) {
        compare("receive", max, DEVP2P_RECEIVE_LEN(max), devp2p_receive_len(max));
        compare("transmit", max, DEVP2P_TRANSMIT_LEN(DEVP2P_FRAME_LEN(max)), devp2p_transmit_len(max));
    }
    devp2p_status status = start_largest();
    if (status != DEVP2P_STATUS_OK) {
        printf("in memory of the sizes in the header: %s\n", devp2p_status_text(status));
        failures++;
    }
    if (devp2p_link_poll(NULL, NULL) != DEVP2P_STATUS_NULL_POINTER) {
        puts("NULL is not refused");
        failures++;
    }
    return failures > 0;
}
