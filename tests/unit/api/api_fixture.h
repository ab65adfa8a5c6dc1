/* The whole interface over real sockets, with the real runtime showing a test pattern as view "v".
 */
#ifndef OW_TESTS_API_FIXTURE_H
#define OW_TESTS_API_FIXTURE_H

#include "api/api.h"
#include "raw_client.h"

#include <jansson.h>

#define fixture_secret "a secret of the TURN server"

extern const char fixture_workflow[]; /* what runs, id "t" */
extern const char fixture_offer[];    /* SDP of a browser that plays H.264 */

/* Group set-up and tear-down. */
int fixture_start(void **state);
int fixture_stop(void **state);
uint16_t fixture_port(void);
struct media_server *fixture_media(void);

/* Calls and expects the status; the answer's JSON is the caller's. */
json_t *fixture_call(const char *method, const char *path, const char *body, int status);
/* The same for a refusal with a sentence. */
void fixture_expect(const char *method, const char *path, const char *body, int status);

#endif
