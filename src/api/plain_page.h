/* Pages that stand in the program, for when the built ones are not there. */
#ifndef OW_API_PLAIN_PAGE_H
#define OW_API_PLAIN_PAGE_H

#include "net/http_server.h"

/* `parts`, ended by NULL, make up the page. Between two of them comes the nonce, as an attribute of
 * the tag that the first one leaves open: `<style`, `<script`. */
void plain_page_reply(struct http_exchange *exchange, int status, const char *const *parts);

#endif
