/* Passwords inside addresses (rtsp://user:password@camera/…) are kept apart from the workflows they
 * stand in: a document that is answered or stored has *** in their place. */
#ifndef OW_API_URL_SECRETS_H
#define OW_API_URL_SECRETS_H

#include <jansson.h>

/* Puts *** for every password in the settings of the document's nodes, in place. What was there
 * goes into `secrets`, an object {node id: {setting: {password, host}}}; where *** stood already
 * the secret that is known stays, and those of nodes and settings that are gone are forgotten. */
void url_secrets_hide(json_t *document, json_t *secrets);

/* The other way round, in place; *** stays where no secret for this host is known. */
void url_secrets_reveal(json_t *document, const json_t *secrets);

/* The same for the settings of one node; `secrets` of the whole workflow. Hiding forgets nothing.
 */
void url_secrets_hide_node(const char *node_id, json_t *data, json_t *secrets);
void url_secrets_reveal_node(const char *node_id, json_t *data, const json_t *secrets);

#endif
