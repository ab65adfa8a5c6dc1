#include "api/plain_page.h"

#include "core/random.h"
#include "net/http_policy.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_BYTES = 4096, NONCE_BYTES = 33 };

void plain_page_reply(struct http_exchange *exchange, int status, const char *const *parts)
{
    char page[PAGE_BYTES] = "", nonce[NONCE_BYTES], policy[HTTP_POLICY_BYTES];
    char headers[HTTP_POLICY_BYTES + 96];
    struct random_source random;
    random_system(&random);
    uint64_t high = random_u64(&random), low = random_u64(&random);
    snprintf(nonce, sizeof nonce, "%016llx%016llx", (unsigned long long)high,
             (unsigned long long)low);
    for (size_t at = 0; *parts && at < sizeof page; parts++) {
        snprintf(page + at, sizeof page - at, "%s%s%s%s", at ? " nonce=\"" : "", at ? nonce : "",
                 at ? "\"" : "", *parts);
        at = strlen(page);
    }
    http_policy_write_inline(nonce, policy);
    snprintf(headers, sizeof headers, "Cache-Control: no-store\r\nContent-Security-Policy: %s\r\n",
             policy);
    http_reply(exchange, status, "text/html; charset=utf-8", page, strlen(page), headers);
}
