#include "rtc/sdp_fragment.h"

#include "rtc/sdp_text.h"

#include <string.h>

struct fragment_reader {
    struct sdp_fragment *out;
    struct reason *why;
};

/* ---- reading: a row per attribute ---- */

/* One generation per fragment; every section may repeat it. */
static int keep_credential(struct fragment_reader *r, char *field, size_t capacity, size_t minimum,
                           struct span value)
{
    char text[SDP_UFRAG_BYTES];
    _Static_assert(SDP_UFRAG_BYTES == SDP_PWD_BYTES, "one buffer for both");
    if (value.size < minimum || !span_copy(value, text, sizeof text) || strchr(text, ':'))
        return reason_set(r->why, OW_EPARSE,
                          "the fragment's ICE user fragment or password is malformed");
    if (field[0] != '\0' && strcmp(field, text) != 0)
        return reason_set(r->why, OW_EPARSE, "the fragment names two ICE user fragments");
    memcpy(field, text, capacity);
    return OW_OK;
}

static int read_ufrag(struct fragment_reader *r, struct span value)
{
    return keep_credential(r, r->out->ufrag, sizeof r->out->ufrag, 4, value);
}

static int read_pwd(struct fragment_reader *r, struct span value)
{
    return keep_credential(r, r->out->pwd, sizeof r->out->pwd, 22, value);
}

/* "ufrag" among a candidate's extensions says which generation it is of (RFC 8839 section 5.1). */
static bool is_of_generation(struct span value, const char *ufrag)
{
    struct span token;
    while ((token = span_next(&value, ' ')).text)
        if (span_is(token, "ufrag"))
            return ufrag[0] == '\0' || span_is(span_next(&value, ' '), ufrag);
    return true;
}

static int read_candidate(struct fragment_reader *r, struct span value)
{
    struct sdp_candidate candidate;
    if (value.size == 0)
        return OW_OK; /* an empty candidate is the browsers' end of candidates */
    int err = sdp_parse_candidate(&candidate, value.text, value.size);
    if (err == OW_EPARSE)
        return reason_set(r->why, OW_EPARSE, "the fragment has a malformed candidate");
    if (err == OW_OK && is_of_generation(value, r->out->ufrag) &&
        r->out->candidate_count < SDP_MAX_CANDIDATES)
        r->out->candidates[r->out->candidate_count++] = candidate;
    return OW_OK;
}

static int read_end(struct fragment_reader *r, struct span value)
{
    (void)value;
    r->out->end_of_candidates = true;
    return OW_OK;
}

static const struct {
    const char *name;
    int (*read)(struct fragment_reader *, struct span value);
} attribute_table[] = {
    {"ice-ufrag", read_ufrag},
    {"ice-pwd", read_pwd},
    {"candidate", read_candidate},
    {"end-of-candidates", read_end},
};

/* Lines of other kinds and attributes that mean nothing here are skipped. */
static int read_line(struct fragment_reader *r, struct span line)
{
    if (line.size < 2 || line.text[1] != '=')
        return line.size == 0 ? OW_OK : reason_set(r->why, OW_EPARSE, "the fragment is not SDP");
    struct span value = {line.text + 2, line.size - 2};
    if (line.text[0] != 'a')
        return OW_OK;
    struct span name = span_trim(span_next(&value, ':'));
    for (size_t i = 0; i < sizeof attribute_table / sizeof attribute_table[0]; i++)
        if (span_is(name, attribute_table[i].name))
            return attribute_table[i].read(r, span_trim(value));
    return OW_OK;
}

int sdp_parse_fragment(struct sdp_fragment *out, const char *text, size_t size, struct reason *why)
{
    if (size > SDP_FRAGMENT_MAX_BYTES)
        return reason_set(why, OW_ELIMIT, "the fragment is larger than %d kB",
                          SDP_FRAGMENT_MAX_BYTES / 1024);
    if (size == 0 || memchr(text, 0, size))
        return reason_set(why, OW_EPARSE, "the fragment is empty or contains a NUL byte");
    struct sdp_fragment fragment = {0};
    struct fragment_reader reader = {.out = &fragment, .why = why};
    struct span rest = {text, size}, line;
    while ((line = span_next_line(&rest)).text) {
        int err = read_line(&reader, line);
        if (err)
            return err;
    }
    *out = fragment;
    return OW_OK;
}

/* ---- writing ---- */

static bool begins_with(struct span line, const char *prefix)
{
    size_t size = strlen(prefix);
    return line.size >= size && memcmp(line.text, prefix, size) == 0;
}

/* In the order of the example in RFC 9725 section 4.3.2: what names the section first. */
static const char *const order[] = {
    "m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates"};

/* From its m-line to the next one. NULL text when no section ends its candidates. */
static struct span find_section(const char *answer)
{
    struct span rest = {answer, strlen(answer)}, line, section = {0};
    bool found = false;
    while ((line = span_next_line(&rest)).text) {
        if (begins_with(line, "m=")) {
            if (found)
                break;
            section.text = line.text;
        }
        found |= section.text && begins_with(line, "a=end-of-candidates");
        if (section.text)
            section.size = (size_t)(rest.text - section.text);
    }
    return found ? section : (struct span){0};
}

struct text {
    char *data;
    size_t size;
};

static int put_line(struct text *text, struct span line)
{
    if (SDP_FRAGMENT_BYTES - text->size < line.size + 3)
        return OW_ELIMIT;
    memcpy(text->data + text->size, line.text, line.size);
    memcpy(text->data + text->size + line.size, "\r\n", 3);
    text->size += line.size + 2;
    return OW_OK;
}

int sdp_write_fragment(char out[SDP_FRAGMENT_BYTES], const char *answer)
{
    static const char lite[] = "a=ice-lite", options[] = "a=ice-options:ice2 trickle";
    struct text text = {out, 0};
    struct span section = find_section(answer), line;
    if (!section.text)
        return OW_ENOTFOUND;
    int err = OW_OK;
    struct span head = {answer, (size_t)(section.text - answer)};
    while (!err && (line = span_next_line(&head)).text && !begins_with(line, "m="))
        if (span_is(line, lite))
            err = put_line(&text, line);
    if (!err)
        err = put_line(&text, (struct span){options, sizeof options - 1});
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct span rest = section;
        while (!err && (line = span_next_line(&rest)).text)
            if (begins_with(line, order[i]))
                err = put_line(&text, line);
    }
    return err;
}
