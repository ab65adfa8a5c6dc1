/* JPEG straight from YUV planes (TurboJPEG), 4:2:0. One encoder per thread. */
#ifndef OW_ENCODE_JPEG_H
#define OW_ENCODE_JPEG_H

#include "core/encoded.h"
#include "core/error.h"
#include "core/frame.h"

struct jpeg_encoder;

int jpeg_encoder_create(struct jpeg_encoder **out);
/* quality 1..100. The image carries the frame's stamps and STAGE_ENCODED. Limited-range frames are
 * expanded to the full range that JFIF wants. */
int jpeg_encode(struct jpeg_encoder *encoder, const struct frame *frame, int quality,
                struct encoded **out);
void jpeg_encoder_destroy(struct jpeg_encoder **encoder);

#endif
