/* How many clients there may be. */
#include "net/http_internal.h"

int http_admission(struct http_server *server, const struct address *peer)
{
    int max = server->settings.max_connections, each = server->settings.max_per_address;
    int status = 0;
    if (server->connection_count >= max + HTTP_MAX_REFUSED)
        status = -1;
    else if (server->connection_count >= max)
        status = 503;
    else if (!address_is_loopback(peer) &&
             http_connections_count(server, peer) + http_ws_count(server, peer) >= each)
        status = 429;
    server->refused += status != 0;
    return status;
}

const char *http_admission_detail(int status)
{
    return status == 429 ? "There are too many connections from this address: close some, or raise "
                           "--max-connections-per-address."
                         : "There are too many connections: try again later, or raise "
                           "--max-connections.";
}

void http_server_read_stats(const struct http_server *server, struct http_server_stats *out)
{
    *out = (struct http_server_stats){.connections = server->connection_count,
                                      .refused = server->refused};
}
