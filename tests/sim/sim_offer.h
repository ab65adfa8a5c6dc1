/* The offer of a browser that receives one H.264 video. */
#ifndef OW_TESTS_SIM_OFFER_H
#define OW_TESTS_SIM_OFFER_H

#include "sim_receiver.h"

#define SIM_OFFER_UFRAG "peer"
#define SIM_OFFER_PWD "peerpeerpeerpeerpeerpeer"

/* `fingerprint`: sha-256 of the browser's certificate, 32 bytes. 4096 bytes are room enough. */
void sim_offer_write(char *out, size_t size, const uint8_t *fingerprint, enum sim_feedback feedback,
                     bool flexfec);

#endif
