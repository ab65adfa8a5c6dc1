#include "sim_offer.h"

#include <stdio.h>

void sim_offer_write(char *out, size_t size, const uint8_t *fingerprint, enum sim_feedback feedback,
                     bool flexfec)
{
    char hex[32 * 3 + 1];
    for (int i = 0; i < 32; i++)
        snprintf(hex + i * 3, 4, "%02X%s", fingerprint[i], i < 31 ? ":" : "");
    snprintf(out, size,
             "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
             "m=video 9 UDP/TLS/RTP/SAVPF 102 103%s\r\nc=IN IP4 0.0.0.0\r\n"
             "a=ice-ufrag:" SIM_OFFER_UFRAG "\r\na=ice-pwd:" SIM_OFFER_PWD "\r\n"
             "a=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=mid:0\r\n%s"
             "a=extmap:%d http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
             "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
             "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
             "a=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
             "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
             "a=rtcp-fb:102 ccm fir\r\n%s%s"
             "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
             "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n%s",
             flexfec ? " 49" : "", hex,
             feedback == SIM_TRANSPORT_CC ? "a=extmap:3 http://www.ietf.org/id/"
                                            "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
                                          : "",
             SIM_EXTENSION_SEND_TIME,
             feedback == SIM_TRANSPORT_CC ? "a=rtcp-fb:102 transport-cc\r\n" : "",
             feedback == SIM_REPORTS_ONLY ? "" : "a=rtcp-fb:102 goog-remb\r\n",
             flexfec ? "a=rtpmap:49 flexfec-03/90000\r\na=fmtp:49 repair-window=10000000\r\n" : "");
}
