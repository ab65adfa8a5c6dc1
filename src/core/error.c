#include "core/error.h"

#include "core/text_cut.h"

#include <stdio.h>

const char *error_text(int code)
{
    switch (code) {
    case OW_OK:
        return "ok";
#define OW_ERROR_TEXT(name, value, text)                                                           \
    case name:                                                                                     \
        return text;
        OW_ERROR_LIST(OW_ERROR_TEXT)
#undef OW_ERROR_TEXT
    default:
        return "unknown error";
    }
}

int reason_set(struct reason *why, int code, const char *format, ...)
{
    if (why) {
        va_list args;
        va_start(args, format);
        vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
        text_mend(why->text);
    }
    return code;
}
