/* A datagram of any content through both parsers, the router's peek and an agent; what ICE takes is
 * a binding message, and nothing that is not authentic may move the agent. */
#include "fuzz.h"

#include "rtc/ice.h"
#include "rtc/stun.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stun_message message;
    char ufrag[16];
    if (stun_parse_turn(&message, data, size) == OW_OK)
        (void)stun_verify(&message, "VOkJxbRl1RmTxUk/WvJxBt", 22);
    if (stun_parse(&message, data, size) == OW_OK) {
        (void)stun_verify(&message, "VOkJxbRl1RmTxUk/WvJxBt", 22);
        if (message.method != STUN_BINDING || message.realm || message.payload ||
            message.peer.family != ADDRESS_NONE)
            abort();
    }
    (void)ice_is_stun(data, size);
    (void)ice_peek_local_ufrag(data, size, ufrag, sizeof ufrag);

    struct random_source random;
    random_seeded(&random, 1);
    struct ice_settings settings = {
        .remote_ufrag = "evtj", .remote_pwd = "VOkJxbRl1RmTxUk/WvJxBt", .random = &random};
    struct ice_agent *agent;
    if (ice_agent_create(&agent, &settings, 0))
        return 0;
    struct address from = {.family = ADDRESS_IPV4, .ip = {192, 0, 2, 1}, .port = 40000};
    (void)ice_agent_receive(agent, 1000, &from, data, size);
    if (ice_agent_is_validated(agent, &from) || ice_agent_selected(agent))
        abort();
    ice_agent_destroy(&agent);
    return 0;
}
